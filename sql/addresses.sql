-- Whose addresses, keys and return paths are: which to ask about, and what was found out. See "whosends names".

COMMENT ON TABLE dmarc_store.address IS 'What is known of addresses apart from reports: confirmed reverse names, networks, countries. A row that is deleted is looked up again';
COMMENT ON COLUMN dmarc_store.address.source_ip IS 'the address';
COMMENT ON COLUMN dmarc_store.address.name IS 'its reverse name, when that is confirmed: one of the addresses of that name is this one; else NULL';
COMMENT ON COLUMN dmarc_store.address.name_status IS 'confirmed, unconfirmed (it claims a name that does not point back), none, failed (no answer); NULL: not asked';
COMMENT ON COLUMN dmarc_store.address.name_expires IS 'until when that holds';
COMMENT ON COLUMN dmarc_store.address.network IS 'the network that it belongs to, by the mmdb files of the configuration';
COMMENT ON COLUMN dmarc_store.address.country IS 'country of the network, two letters (ISO 3166)';
COMMENT ON COLUMN dmarc_store.address.as_number IS 'number of the autonomous system';
COMMENT ON COLUMN dmarc_store.address.as_name IS 'its name';
COMMENT ON COLUMN dmarc_store.address.network_at IS 'when the network was looked up';

CREATE OR REPLACE VIEW dmarc.address AS
SELECT a.source_ip, a.name, a.name_status, a.name_expires, a.network, a.country, a.as_number, a.as_name, a.network_at
FROM dmarc_store.address a;

COMMENT ON TABLE dmarc_store.cname IS 'Where names of the domains themselves point to: those of keys that passing signatures were made with (SELECTOR._domainkey.DOMAIN), and of return paths that passed SPF. A row that is deleted is looked up again';
COMMENT ON COLUMN dmarc_store.cname.name IS 'the name, in lower case';
COMMENT ON COLUMN dmarc_store.cname.targets IS 'what its CNAME names, then what that one''s names, and so on; empty where there never was one';
COMMENT ON COLUMN dmarc_store.cname.status IS 'found, none (no CNAME, any more), failed (no answer)';
COMMENT ON COLUMN dmarc_store.cname.expires IS 'until when that holds';

CREATE OR REPLACE VIEW dmarc.cname AS
SELECT c.name, c.targets, c.status, c.expires FROM dmarc_store.cname c;

-- The name under which the key of a signature is, as far as it can be one.
CREATE OR REPLACE FUNCTION dmarc_store.key_name(selector text, domain text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT lower(selector) || '._domainkey.' || domain
$fn$;
COMMENT ON FUNCTION dmarc_store.key_name(text, text) IS 'Where the key of a signature is published (RFC 6376 section 3.6.2.1)';

-- Names of the domains themselves that are to be asked about: keys and return paths that passed since a day, those that nothing is known
-- of first.
CREATE OR REPLACE FUNCTION dmarc_store.cnames_to_ask(since date, most bigint) RETURNS SETOF text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off AS $fn$
BEGIN
    RETURN QUERY
    WITH seen AS MATERIALIZED (
        SELECT d.domain, d.profile
        FROM (SELECT t.domain, unnest(t.profiles) AS profile FROM dmarc_store.summed t WHERE t.day >= since) d
        GROUP BY d.domain, d.profile
    ), passed AS MATERIALIZED (
        SELECT p.domain, p.dkim_domains, p.dkim_selectors, p.spf_domains, p.spf_scopes
        FROM seen s JOIN dmarc_store.profile p ON p.domain = s.domain AND p.hash = s.profile
    ), named AS (
        SELECT dmarc_store.key_name(k.selector, k.name) AS name
        FROM (SELECT unnest(p.dkim_domains) AS name, unnest(p.dkim_selectors) AS selector FROM passed p) k
        WHERE k.selector IS NOT NULL
        UNION
        SELECT h.name
        FROM (SELECT p.domain, unnest(p.spf_domains) AS name, unnest(p.spf_scopes) AS scope FROM passed p) h
        WHERE h.scope IS DISTINCT FROM 'helo' AND right(h.name, length(h.domain) + 1) = '.' || h.domain
    )
    SELECT n.name COLLATE "C"
    FROM named n LEFT JOIN dmarc_store.cname c ON c.name = n.name COLLATE "C"
    WHERE dmarc.is_name(n.name) AND (c.name IS NULL OR c.expires < statement_timestamp())
    ORDER BY c.expires NULLS FIRST, n.name COLLATE "C"
    LIMIT most;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.cnames_to_ask(date, bigint) IS 'Names of keys and return paths of the domains themselves that passed since a day, and of which it is not known any more where they point to';

-- Keeps what was found out; targets are lists with blanks between. Which policy domains have mail that has another name by that: to be
-- judged anew.
CREATE OR REPLACE FUNCTION dmarc_store.take_cnames(names text[], statuses text[], targets text[], expires timestamptz[]) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off AS $fn$
#variable_conflict use_column
DECLARE
    changed text[];
BEGIN
    SELECT array_agg(u.name) INTO changed
    FROM unnest($1, $2, $3) u (name, status, said)
    LEFT JOIN dmarc_store.cname c ON c.name = u.name COLLATE "C"
    WHERE u.status = 'found' AND c.targets IS DISTINCT FROM string_to_array(u.said, ' ');
    INSERT INTO dmarc_store.cname AS t (name, targets, status, expires)
    SELECT u.name, coalesce(string_to_array(u.said, ' '), '{}'), u.status, u.expires
    FROM unnest($1, $2, $3, $4) u (name, status, said, expires)
    ORDER BY u.name COLLATE "C"
    ON CONFLICT (name) DO UPDATE
    -- Mail that was signed stays signed by whom it was when its key is gone, or cannot be asked for.
    SET targets = CASE WHEN excluded.status = 'found' THEN excluded.targets ELSE t.targets END,
        status = CASE WHEN excluded.status = 'failed' THEN t.status ELSE excluded.status END,
        expires = excluded.expires;
    IF changed IS NULL THEN
        RETURN; -- mostly: nor is it looked through all that is stored
    END IF;
    RETURN QUERY
    SELECT DISTINCT n.domain
    FROM (SELECT p.domain, dmarc_store.key_name(unnest(p.dkim_selectors), unnest(p.dkim_domains)) AS name
          FROM dmarc_store.profile p WHERE p.dkim_selectors IS NOT NULL
          UNION ALL
          SELECT p.domain, unnest(p.spf_domains) FROM dmarc_store.profile p WHERE p.spf_domains IS NOT NULL) n
    WHERE n.name = ANY (changed);
END
$fn$;
COMMENT ON FUNCTION dmarc_store.take_cnames(text[], text[], text[], timestamptz[]) IS 'Keeps where names of the domains themselves point to; the policy domains with mail that has to be judged anew';

-- Those seen since a day whose names are not known or have expired, or whose networks were not looked up since a time: the latest
-- that nothing is known of come first.
CREATE OR REPLACE FUNCTION dmarc_store.addresses_to_ask(since date, names boolean, networks_before timestamptz, most bigint)
RETURNS TABLE (source_ip inet, ask_name boolean) LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT s.source_ip, $2 AND (a.source_ip IS NULL OR a.name_expires IS NULL OR a.name_expires < statement_timestamp())
    FROM (SELECT p.source_ip, max(dmarc.last_of(p.day, p.days)) AS seen
          FROM dmarc_store.profile_source p
          WHERE p.day >= date_trunc('month', $1::timestamp)::date
          GROUP BY p.source_ip
          UNION
          SELECT f.source_ip, max(f.day) FROM dmarc_store.fresh_source f WHERE f.day >= $1 GROUP BY f.source_ip) s
    LEFT JOIN dmarc_store.address a ON a.source_ip = s.source_ip
    WHERE s.seen >= $1
      AND (a.source_ip IS NULL
           OR ($2 AND (a.name_expires IS NULL OR a.name_expires < statement_timestamp()))
           OR ($3 IS NOT NULL AND (a.network_at IS NULL OR a.network_at < $3)))
    GROUP BY s.source_ip, a.source_ip, a.name_expires
    ORDER BY (a.source_ip IS NULL) DESC, max(s.seen) DESC, s.source_ip
    LIMIT $4;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.addresses_to_ask(date, boolean, timestamptz, bigint) IS 'Addresses seen since a day of which something is to be looked up: names that are not known any more, networks not looked up since a time (NULL: no networks)';

CREATE OR REPLACE FUNCTION dmarc_store.take_names(addresses inet[], statuses text[], names text[], expires timestamptz[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
BEGIN
    INSERT INTO dmarc_store.address AS t (source_ip, name, name_status, name_expires)
    SELECT u.source_ip, u.name, u.status, u.expires
    FROM unnest($1, $2, $3, $4) u (source_ip, status, name, expires)
    ORDER BY u.source_ip
    ON CONFLICT (source_ip) DO UPDATE
    -- No answer does not make an old one wrong.
    SET name = CASE WHEN excluded.name_status = 'failed' THEN t.name ELSE excluded.name END,
        name_status = CASE WHEN excluded.name_status = 'failed' AND t.name IS NOT NULL THEN t.name_status ELSE excluded.name_status END,
        name_expires = excluded.name_expires;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.take_names(inet[], text[], text[], timestamptz[]) IS 'Keeps what was found out about the names of addresses; a failure leaves a name that was known';

CREATE OR REPLACE FUNCTION dmarc_store.take_networks(addresses inet[], networks cidr[], countries text[], numbers bigint[], names text[],
                                                     looked_at timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
BEGIN
    INSERT INTO dmarc_store.address AS t (source_ip, network, country, as_number, as_name, network_at)
    SELECT u.source_ip, u.network, u.country, u.as_number, u.as_name, $6
    FROM unnest($1, $2, $3, $4, $5) u (source_ip, network, country, as_number, as_name)
    ORDER BY u.source_ip
    ON CONFLICT (source_ip) DO UPDATE
    SET network = excluded.network, country = excluded.country, as_number = excluded.as_number, as_name = excluded.as_name,
        network_at = excluded.network_at;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.take_networks(inet[], cidr[], text[], bigint[], text[], timestamptz) IS 'Keeps the networks of addresses';

-- The senders that the catalogue has for reverse names: by the longest rule, a user's own before all others. Names that it has none
-- for are left out.
CREATE OR REPLACE FUNCTION dmarc_store.senders_by_names(names text[]) RETURNS TABLE (name text, sender text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off AS $fn$
#variable_conflict use_column
BEGIN
    -- Most names differ in their first label alone: what is above that is looked at once.
    RETURN QUERY
    WITH asked AS MATERIALIZED (
        SELECT a.name, substr(a.name, strpos(a.name, '.') + 1) AS above
        FROM unnest(names) a (name)
        WHERE a.name !~ '[^a-z0-9_.-]' AND strpos(a.name, '.') > 0
        GROUP BY a.name
    ), parents AS MATERIALIZED (
        SELECT q.above, string_to_array(q.above, '.') AS labels FROM asked q GROUP BY q.above
    ), patterns AS (
        SELECT p.above, array_to_string(p.labels[cardinality(p.labels) - k.n + 1:], '.') AS pattern
        FROM parents p CROSS JOIN generate_series(2, 6) k (n)
        WHERE k.n <= cardinality(p.labels)
    ), found AS (
        SELECT q.name, q.name AS pattern FROM asked q
        UNION ALL
        SELECT q.name, t.pattern FROM asked q JOIN patterns t ON t.above = q.above
    )
    SELECT DISTINCT ON (f.name) f.name, r.sender
    FROM found f
    JOIN dmarc_store.sender_rule r ON r.kind = 'ptr_domain' AND r.pattern = f.pattern
    ORDER BY f.name, r.origin = 'user' DESC, length(r.pattern) DESC, r.sender;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.senders_by_names(text[]) IS 'Who is known by which of these reverse names, as keys of the catalogue; only for names that are confirmed';

CREATE OR REPLACE FUNCTION dmarc_store.sender_by_name(name text) RETURNS dmarc_store.sender
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    who dmarc_store.sender;
BEGIN
    SELECT s.* INTO who
    FROM dmarc_store.senders_by_names(ARRAY[sender_by_name.name]) n JOIN dmarc_store.sender s ON s.key = n.sender;
    RETURN who;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.sender_by_name(text) IS 'Who is known by a reverse name; only for names that are confirmed';

-- Those of these addresses whose confirmed names the catalogue knows. Where nothing was looked up, it takes no time.
CREATE OR REPLACE FUNCTION dmarc_store.hosts_of(addresses inet[]) RETURNS TABLE (source_ip inet, host text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off AS $fn$
#variable_conflict use_column
DECLARE
    ips   inet[];
    names text[];
BEGIN
    IF addresses IS NULL THEN
        RETURN;
    END IF;
    SELECT array_agg(a.source_ip), array_agg(a.name) INTO ips, names
    FROM dmarc_store.address a
    WHERE a.source_ip = ANY (addresses) AND a.name IS NOT NULL;
    RETURN QUERY
    SELECT u.source_ip, s.name
    FROM unnest(ips, names) u (source_ip, name)
    JOIN dmarc_store.senders_by_names(names) n ON n.name = u.name
    JOIN dmarc_store.sender s ON s.key = n.sender;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.hosts_of(inet[]) IS 'Of these addresses, those whose confirmed reverse names belong to a sender of the catalogue, and its name';

-- The three to whom most addresses belong, in words.
CREATE OR REPLACE FUNCTION dmarc_store.hosts_said(hosts text[], counts bigint[], addresses bigint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT counts[1] || ' of ' || addresses || CASE WHEN addresses = 1 THEN ' address' ELSE ' addresses' END
           || CASE WHEN counts[1] = 1 THEN ' has a confirmed reverse name of ' ELSE ' have confirmed reverse names of ' END || hosts[1]
           || coalesce(', ' || counts[2] || ' of ' || hosts[2], '') || coalesce(', ' || counts[3] || ' of ' || hosts[3], '')
$fn$;
COMMENT ON FUNCTION dmarc_store.hosts_said(text[], bigint[], bigint) IS 'To whom how many of so many addresses belong by their confirmed reverse names, as evidence';
