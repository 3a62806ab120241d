-- What the owner of a domain says of its senders. It decides where nothing aligns, see judge.sql: an approved sender is
-- misconfigured until it authenticates as the domain, a disowned one is as unknown as a forger. What aligns passes DMARC whatever
-- is said of it here.

-- The plain domain in the name of a sender that the catalogue does not know.
CREATE OR REPLACE FUNCTION dmarc_store.bare_name(sender text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT substring(sender FROM '^(.*) [(](?:not known|approved)[)]$')
$fn$;
COMMENT ON FUNCTION dmarc_store.bare_name(text) IS 'Of the name of a sender that is not in the catalogue: its domain; NULL for any other name';

-- What was said of a sender, by the row of it in a report. Of an unknown domain the word on itself, else on what it is below.
CREATE OR REPLACE FUNCTION dmarc_store.word_on(of_domain text, sender_key text, sender text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    bare text := dmarc_store.bare_name(sender);
BEGIN
    IF sender_key IS NOT NULL THEN
        RETURN (SELECT a.approved FROM dmarc_store.approval a WHERE a.domain = of_domain AND a.sender = sender_key);
    END IF;
    RETURN (SELECT a.approved FROM dmarc_store.approval a
            WHERE a.domain = of_domain AND (a.sender = bare OR right(bare, length(a.sender) + 1) = '.' || a.sender)
            ORDER BY length(a.sender) DESC LIMIT 1);
END
$fn$;
COMMENT ON FUNCTION dmarc_store.word_on(text, text, text) IS 'Whether the owner of a domain approved a sender (true), disowned it (false), or said nothing (NULL)';

-- Which sender is meant: by its key, by its name, or by a domain, which the catalogue may know by a rule. The name of one customer below
-- a provider's (contoso.onmicrosoft.com) is that customer, and not all of them.
CREATE OR REPLACE FUNCTION dmarc_store.sender_meant(word text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    bare  text := lower(coalesce(dmarc_store.bare_name(word), word));
    found text := (SELECT s.key FROM dmarc_store.sender s WHERE s.key = word OR s.key = lower(word) OR lower(s.name) = lower(word)
                   ORDER BY s.key = word DESC, s.key = lower(word) DESC, s.key LIMIT 1);
BEGIN
    IF found IS NULL AND dmarc.is_name(bare) THEN
        found := coalesce((SELECT CASE WHEN r.tenant AND r.pattern <> bare THEN bare ELSE r.sender END FROM dmarc_store.sender_rule r JOIN dmarc_store.sender s ON s.key = r.sender
                           WHERE r.kind IN ('dkim_domain', 'spf_domain') AND r.pattern = ANY (dmarc.suffixes(string_to_array(bare, '.')))
                           ORDER BY r.origin = 'user' DESC, length(r.pattern) DESC, r.sender LIMIT 1), bare);
    END IF;
    RETURN found;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.sender_meant(text) IS 'The key of the sender that a key, name or domain means; a domain that nobody is known by; or NULL';

-- NULL takes back what was said. Then the domain's profiles are judged again.
CREATE OR REPLACE FUNCTION dmarc_store.decide(of_domain text, who text, verdict boolean, why text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    meant text := dmarc_store.sender_meant(who);
BEGIN
    IF meant IS NULL THEN
        RAISE EXCEPTION 'no sender is called "%"', who
            USING ERRCODE = 'no_data_found', HINT = 'the key or name of a sender of dmarc.sender, or the domain of one that is not known';
    END IF;
    IF verdict IS NULL THEN
        DELETE FROM dmarc_store.approval a WHERE a.domain = lower(of_domain) AND a.sender = meant;
    ELSE
        INSERT INTO dmarc_store.approval AS t (domain, sender, approved, note, decided_at, decided_by)
        VALUES (lower(of_domain), meant, verdict, why, now(), dmarc.reader())
        ON CONFLICT (domain, sender) DO UPDATE
        SET approved = excluded.approved, decided_at = excluded.decided_at, decided_by = excluded.decided_by,
            note = CASE WHEN t.approved = excluded.approved THEN coalesce(excluded.note, t.note) ELSE excluded.note END;
    END IF;
    RETURN dmarc_store.reclassify(lower(of_domain));
END
$fn$;
COMMENT ON FUNCTION dmarc_store.decide(text, text, boolean, text) IS 'Notes that a sender is approved (true), disowned (false) or neither (NULL), and judges the domain''s mail again; how many profiles changed';

CREATE OR REPLACE FUNCTION dmarc.approve(policy_domain text, sender text, note text DEFAULT NULL) RETURNS bigint LANGUAGE sql AS $fn$
    SELECT dmarc_store.decide($1, $2, true, $3)
$fn$;
COMMENT ON FUNCTION dmarc.approve(text, text, text) IS 'The sender (its key or name, or the domain of one that is not known) may send as the domain: what it sends unaligned is misconfigured. How many kinds of mail changed their class or name';

CREATE OR REPLACE FUNCTION dmarc.disown(policy_domain text, sender text, note text DEFAULT NULL) RETURNS bigint LANGUAGE sql AS $fn$
    SELECT dmarc_store.decide($1, $2, false, $3)
$fn$;
COMMENT ON FUNCTION dmarc.disown(text, text, text) IS 'The sender may not send as the domain: what it sends unaligned is unknown. How many kinds of mail changed their class or name';

CREATE OR REPLACE FUNCTION dmarc.undecide(policy_domain text, sender text) RETURNS bigint LANGUAGE sql AS $fn$
    SELECT dmarc_store.decide($1, $2, NULL, NULL)
$fn$;
COMMENT ON FUNCTION dmarc.undecide(text, text) IS 'Takes back what was said of a sender. How many kinds of mail changed their class or name';

-- With the name of each, and what it sent: the period is there for the sake of one form for all reports.
CREATE OR REPLACE FUNCTION dmarc.approvals(policy_domain text DEFAULT NULL, since date DEFAULT NULL, until date DEFAULT NULL,
                                           only_trusted boolean DEFAULT false)
RETURNS TABLE (
    domain text,
    sender text,
    name text,
    approved boolean,
    note text,
    decided_at timestamptz,
    decided_by name,
    messages numeric,
    last_seen date
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
SET jit = off SET random_page_cost = 1.1 SET enable_nestloop = off SET enable_mergejoin = off AS $fn$
#variable_conflict use_column
DECLARE
    mine text[] := dmarc.visible();
BEGIN
    RETURN QUERY
    WITH said AS MATERIALIZED (
        SELECT a.*
        FROM dmarc_store.approval a
        WHERE (policy_domain IS NULL OR a.domain = lower(policy_domain)) AND (mine IS NULL OR a.domain = ANY (mine))
    ), theirs AS MATERIALIZED (
        SELECT p.domain, p.hash, a.sender
        FROM said a
        JOIN dmarc_store.profile p ON p.domain = a.domain
        WHERE p.sender_key = a.sender OR p.sender_key IS NULL AND (dmarc_store.bare_name(p.sender) = a.sender
                                                                  OR right(dmarc_store.bare_name(p.sender), length(a.sender) + 1) = '.' || a.sender)
    ), sent AS MATERIALIZED (
        SELECT d.domain, t.sender, sum(d.messages) AS messages, max(d.day) AS last_seen
        FROM dmarc_store.profile_day d
        JOIN theirs t ON t.domain = d.domain AND t.hash = d.profile
        WHERE (policy_domain IS NULL OR d.domain = lower(policy_domain)) AND d.domain IN (SELECT s.domain FROM said s)
          AND d.day >= coalesce(since, '-infinity') AND d.day < coalesce(until, 'infinity')
          AND NOT (only_trusted AND d.doubtful)
        GROUP BY d.domain, t.sender
    )
    SELECT a.domain, a.sender, coalesce(c.name, a.sender), a.approved, a.note, a.decided_at, a.decided_by, coalesce(s.messages, 0), s.last_seen
    FROM said a
    LEFT JOIN dmarc_store.sender c ON c.key = a.sender
    LEFT JOIN sent s ON s.domain = a.domain AND s.sender = a.sender
    ORDER BY a.domain, a.approved DESC, coalesce(c.name, a.sender);
END
$fn$;
COMMENT ON FUNCTION dmarc.approvals(text, date, date, boolean) IS 'What was said of senders, by whom and why, and how much each sent. Arguments: policy domain, first day, day after the last, without what nobody vouches for';

-- ---- groups of domains ----

CREATE OR REPLACE FUNCTION dmarc.use_group(name text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $fn$
BEGIN
    PERFORM set_config('dmarc.domain_group', coalesce(name, ''), false);
    RETURN coalesce(name, '') = '' OR cardinality(dmarc.visible()) > 0;
END
$fn$;
COMMENT ON FUNCTION dmarc.use_group(text) IS 'From now on this session sees the domains of a group alone (NULL: all again); whether there are any. The same as SET dmarc.domain_group';

CREATE OR REPLACE FUNCTION dmarc_store.join_group(of_name text, domains text[]) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    changed bigint;
BEGIN
    INSERT INTO dmarc_store.domain_group (domain, name) SELECT DISTINCT lower(d), of_name FROM unnest(domains) d ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN changed;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.join_group(text, text[]) IS 'Adds domains to a group; how many were not in it';

CREATE OR REPLACE FUNCTION dmarc_store.leave_group(of_name text, domains text[]) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    changed bigint;
BEGIN
    DELETE FROM dmarc_store.domain_group g WHERE g.name = of_name AND g.domain IN (SELECT lower(d) FROM unnest(domains) d);
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN changed;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.leave_group(text, text[]) IS 'Takes domains out of a group; how many were in it';

CREATE OR REPLACE FUNCTION dmarc.groups(only_name text DEFAULT NULL)
RETURNS TABLE (
    name text,
    domain text,
    reports bigint,
    last_seen date
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off AS $fn$
#variable_conflict use_column
DECLARE
    mine text[] := dmarc.visible();
BEGIN
    RETURN QUERY
    WITH heads AS MATERIALIZED (
        SELECT t.domain, sum(t.reports)::bigint AS reports, max(t.day) AS last_seen
        FROM dmarc_store.domain_day t
        WHERE t.domain IN (SELECT g.domain FROM dmarc_store.domain_group g WHERE only_name IS NULL OR g.name = only_name)
        GROUP BY t.domain
    )
    SELECT g.name, g.domain, coalesce(h.reports, 0), h.last_seen
    FROM dmarc_store.domain_group g
    LEFT JOIN heads h ON h.domain = g.domain
    WHERE (only_name IS NULL OR g.name = only_name) AND (mine IS NULL OR g.domain = ANY (mine))
    ORDER BY g.name, g.domain;
END
$fn$;
COMMENT ON FUNCTION dmarc.groups(text) IS 'The groups of policy domains, or one of them: each domain, how many reports there are about it, and the last day of these';
