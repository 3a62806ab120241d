-- The rules of classes.sql and the catalogue of senders put together.

-- Who sent and whether he may, for many profiles at once: the rules of classes.sql and the catalogue. Of several names that the
-- catalogue knows, this order decides: where nothing aligns, one that is approved, and last one that is disowned; a user's
-- rule; HELO last; one that does not relay; a product before the carrier that it sends through; DKIM before MAIL FROM; the sender's own
-- domain, then where a name of the domain itself points to, then selector and host; the longest pattern; the first by name. One name
-- that passed is one sender's alone: what is below a domain of his, and has a rule of its own, is not his.
--
-- Planned once in a session: to plan it took a third of the time that judging a batch takes, more with all profiles in the plan,
-- and nothing in the plan depends on them.
CREATE OR REPLACE FUNCTION dmarc_store.judge(profiles dmarc_store.profile[]) RETURNS SETOF dmarc_store.profile
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan SET jit = off SET work_mem = '16MB' SET enable_nestloop = off AS $fn$
BEGIN
RETURN QUERY
WITH seen AS MATERIALIZED (
    -- own_from: the From: that may make a name the domain's own.
    SELECT p.*, CASE WHEN p.inside THEN p.header_from ELSE p.domain END AS own_from, p.inside AND p.dkim_aligned AS own_dkim,
           p.inside AND p.spf_aligned AS own_spf, CASE WHEN p.inside THEN p.dkim_aligned_domain END AS own_dkim_domain,
           CASE WHEN p.inside THEN p.spf_aligned_domain END AS own_spf_domain
    FROM (SELECT u.*, dmarc_store.is_inside(u.header_from, u.domain) AS inside
          FROM unnest(profiles) WITH ORDINALITY AS u (domain, hash, header_from, dkim_aligned, spf_aligned, dkim_aligned_domain,
              dkim_aligned_selector, spf_aligned_domain, dkim_domains, dkim_selectors, spf_domains, spf_scopes, reason_types, class, rule,
              sender_key, sender, known, kind, confidence, evidence_said, advice, own_signed, n)) p
), word AS MATERIALIZED (
    -- What the owners of the domains said.
    SELECT a.domain, a.sender, a.approved FROM dmarc_store.approval a WHERE a.domain IN (SELECT s.domain FROM seen s)
), passed AS MATERIALIZED (
    -- What authenticated: DKIM signatures (strength 1), MAIL FROM (2) and HELO (3). All of it passed.
    SELECT d.n, d.domain, 'dkim_domain' AS rule_kind, d.name, d.selector, dmarc_store.is_ours(d.name, d.own_from, d.domain, d.own_dkim_domain) AS own,
           right(d.name, length(d.domain) + 1) = '.' || d.domain AS below,
           1 AS strength, 'dkim d=' || d.name || coalesce(' s=' || d.selector, '') || ', passed' AS said
    FROM (SELECT s.n, s.own_from, s.domain, s.own_dkim_domain, unnest(s.dkim_domains) AS name, unnest(s.dkim_selectors) AS selector
          FROM seen s) d
    WHERE d.name IS NOT NULL
    UNION ALL
    SELECT f.n, f.domain, 'spf_domain', f.name, NULL, dmarc_store.is_ours(f.name, f.own_from, f.domain, f.own_spf_domain),
           right(f.name, length(f.domain) + 1) = '.' || f.domain,
           CASE WHEN f.scope = 'helo' THEN 3 ELSE 2 END,
           'spf ' || f.name || CASE WHEN f.scope = 'helo' THEN ' (helo), passed' ELSE ', passed' END
    FROM (SELECT s.n, s.own_from, s.domain, s.own_spf_domain, unnest(s.spf_domains) AS name, unnest(s.spf_scopes) AS scope
          FROM seen s) f
    WHERE f.name IS NOT NULL
), pairs AS MATERIALIZED (
    -- Hosts and selectors that several senders ask for, so that only both together name one.
    SELECT r.kind, r.pattern, split_part(r.pattern, '/', 1) AS host, split_part(r.pattern, '/', 2) AS selector
    FROM dmarc_store.sender_rule r WHERE position('/' IN r.pattern) > 0
), hosts AS MATERIALIZED (
    -- Those of a rule alone: a report may have hundreds of each.
    SELECT i.n, i.rule_kind, p.kind, p.pattern, p.selector, i.name, i.selector AS signed_with, i.strength, i.said
    FROM (SELECT u.*, unnest(ARRAY[split_part(u.name, '.', 1), dmarc_store.host_kind(u.name)]) AS host
          FROM passed u WHERE u.own AND u.below AND u.strength < 3) i
    JOIN pairs p ON p.host = i.host
), both_told AS (
    SELECT h.n, h.kind, h.pattern, min(h.name) AS name, h.strength, min(h.said) AS said
    FROM hosts h WHERE h.kind = 'dkim_selector' AND h.rule_kind = 'dkim_domain' AND h.signed_with = h.selector
    GROUP BY h.n, h.kind, h.pattern, h.strength
    UNION ALL
    SELECT h.n, h.kind, h.pattern, min(h.name), h.strength,
           'spf ' || min(h.name) || ' and dkim d=' || min(d.name) || ' s=' || h.selector || ', passed'
    FROM hosts h
    JOIN (SELECT i.n, i.selector, min(i.name) AS name FROM passed i WHERE i.rule_kind = 'dkim_domain' AND i.own GROUP BY i.n, i.selector) d
         ON d.n = h.n AND d.selector = h.selector
    WHERE h.kind = 'spf_host' AND h.rule_kind = 'spf_domain'
    GROUP BY h.n, h.kind, h.pattern, h.selector, h.strength
), cnames AS MATERIALIZED (
    -- Where its owner let a name of his own point to, which nobody else can: the key of a signature, or a MAIL FROM.
    SELECT w.n, w.name, w.strength, w.said, unnest(c.targets) AS target
    FROM (SELECT i.n, i.name, i.strength, i.said, CASE i.strength WHEN 1 THEN dmarc_store.key_name(i.selector, i.name) ELSE i.name END COLLATE "C" AS at
          FROM passed i WHERE i.own AND i.strength < 3) w
    JOIN dmarc_store.cname c ON c.name = w.at
), asked AS MATERIALIZED (
    SELECT i.n, i.rule_kind, i.name AS by, i.name, i.strength, i.said FROM passed i
    UNION ALL
    -- A selector says something only in a signature of the domain itself: anybody may choose any selector for his own.
    SELECT i.n, 'dkim_selector', i.selector, i.name, i.strength, i.said
    FROM passed i WHERE i.rule_kind = 'dkim_domain' AND i.own AND i.selector IS NOT NULL
    UNION ALL
    -- The same of the first label of a MAIL FROM host: who is not the owner of the domain makes none pass.
    SELECT i.n, 'spf_host', split_part(i.name, '.', 1), i.name, i.strength, i.said
    FROM passed i WHERE i.rule_kind = 'spf_domain' AND i.own AND i.below AND i.strength = 2
    UNION ALL
    SELECT b.n, b.kind, b.pattern, b.name, b.strength, b.said FROM both_told b
    UNION ALL
    SELECT t.n, 'cname', t.target, t.name, t.strength, t.said || '; ' || CASE t.strength WHEN 1 THEN 'its key is at ' ELSE 'a CNAME of ' END || t.target
    FROM cnames t
), named AS MATERIALIZED (
    -- Each name once, whoever bears it. One name is one sender's: of a user's rule, else of the longest pattern.
    SELECT DISTINCT ON (k.rule_kind, k.by) k.rule_kind, k.by, r.pattern, r.tenant, r.origin = 'user' AS users, c.key, c.name, c.kind, c.advice, c.carrier,
           c.kind IN ('mailbox', 'gateway', 'forwarder', 'list') AS relay
    FROM (SELECT g.rule_kind, g.by, g.kind, unnest(CASE WHEN g.rule_kind IN ('dkim_selector', 'spf_host')
                                                        THEN ARRAY[g.by, regexp_replace(g.by, '[0-9]+', '#', 'g')]
                                                        ELSE dmarc.suffixes(string_to_array(g.by, '.')) END) COLLATE "C" AS pattern
          FROM (SELECT DISTINCT a.rule_kind, a.by, unnest(CASE a.rule_kind WHEN 'cname' THEN ARRAY['dkim_domain', 'spf_domain']
                                                          ELSE ARRAY[a.rule_kind] END) AS kind
                FROM asked a) g) k
    JOIN dmarc_store.sender_rule r ON r.kind = k.kind AND r.pattern = k.pattern
    JOIN dmarc_store.sender c ON c.key = r.sender
    ORDER BY k.rule_kind, k.by, r.origin = 'user' DESC, length(k.pattern) DESC, k.pattern
), told AS MATERIALIZED (
    -- Of strangers the word on the name itself, else on what it is below.
    SELECT DISTINCT ON (i.n, i.name) i.n, i.name, w.sender, w.approved
    FROM passed i
    JOIN word w ON w.domain = i.domain AND (w.sender = i.name OR right(i.name, length(w.sender) + 1) = '.' || w.sender)
    WHERE NOT i.own
    ORDER BY i.n, i.name, length(w.sender) DESC
), found AS MATERIALIZED (
    SELECT a.n, c.key, c.name, c.kind, c.advice, a.said, a.rule_kind, coalesce(t.approved, w.approved) AS approved, t.n IS NOT NULL AS by_name,
           -- Who brought it: best seen in MAIL FROM, then in HELO, then in a signature.
           CASE a.strength WHEN 2 THEN 1 WHEN 3 THEN 2 ELSE 3 END AS hop,
           a.rule_kind = 'dkim_domain' AND (c.tenant OR c.kind IN ('forwarder', 'list')) AS signs_on,
           CASE WHEN a.rule_kind IN ('dkim_domain', 'cname') THEN 'high' WHEN a.strength = 3 THEN 'low' ELSE 'medium' END AS confidence,
           c.relay AND t.approved IS NOT FALSE AND NOT (c.tenant AND dmarc_store.is_own_tenant(a.name, s.domain)) AS relays, c.carrier,
           row_number() OVER (PARTITION BY a.n ORDER BY CASE WHEN s.own_dkim OR s.own_spf OR coalesce(t.approved, w.approved) IS NULL THEN 1
                                                             WHEN coalesce(t.approved, w.approved) THEN 0 ELSE 2 END,
                                                        c.users DESC, a.strength = 3, c.relay, c.carrier, a.strength,
                                                        array_position(ARRAY['dkim_domain', 'spf_domain', 'cname'], a.rule_kind),
                                                        length(c.pattern) DESC, a.said COLLATE "C", c.key) AS rank
    FROM asked a
    JOIN named c ON c.rule_kind = a.rule_kind AND c.by = a.by
    JOIN seen s ON s.n = a.n
    LEFT JOIN word w ON w.domain = s.domain AND w.sender = c.key
    LEFT JOIN told t ON t.n = a.n AND t.name = a.name
), who AS (
    SELECT DISTINCT ON (f.n) f.* FROM found f ORDER BY f.n, f.rank
), relay AS (
    SELECT DISTINCT ON (f.n) f.* FROM found f WHERE f.relays ORDER BY f.n, f.hop, f.rank
), matches AS (
    SELECT f.n, bool_or(NOT f.relays AND f.approved IS NOT FALSE) AS known_sender, bool_or(f.approved) AS approved,
           bool_or(NOT f.relays AND f.approved IS NOT FALSE AND NOT f.carrier) AS known_product, bool_or(f.approved AND NOT f.carrier) AS product_approved,
           bool_or(NOT f.approved) AS disowned, bool_or(f.approved AND NOT f.by_name) AS key_approved, bool_or(NOT f.approved AND NOT f.by_name) AS key_disowned,
           array_agg(f.key) FILTER (WHERE f.relays AND (f.hop = 1 OR f.signs_on)) AS brought_by,
           coalesce(array_agg(f.key) FILTER (WHERE f.rule_kind IN ('dkim_selector', 'spf_host', 'cname')), '{}') AS signed_by
    FROM found f GROUP BY f.n
), own AS (
    SELECT DISTINCT ON (i.n) i.* FROM passed i WHERE i.own ORDER BY i.n, i.strength, i.said COLLATE "C"
), stranger AS (
    -- nobody: not in the catalogue. With a name of a carrier beside it, it is whose account the carrier sent it for.
    SELECT DISTINCT ON (i.n) i.*, t.sender AS told, t.approved
    FROM (SELECT p.*, p.strength < 3 AND p.name NOT IN (SELECT c.by FROM named c) AS nobody FROM passed p WHERE NOT p.own) i
    LEFT JOIN told t ON t.n = i.n AND t.name = i.name
    ORDER BY i.n, t.approved IS TRUE DESC, t.approved IS FALSE DESC, i.nobody DESC, i.strength, i.said COLLATE "C"
), ruled AS MATERIALIZED (
    -- The rule is decided once, not wherever it is asked for.
    SELECT s.*, w.key AS who_key, w.name AS who_name, w.kind AS who_kind, w.advice AS who_advice, w.said AS who_said,
           w.carrier AND t.nobody AS for_stranger, w.confidence AS who_confidence, y.key AS relay_key, y.name AS relay_name, y.kind AS relay_kind, y.said AS relay_said,
           y.confidence AS relay_confidence, o.name AS own_name, o.said AS own_said, o.strength AS own_strength, t.name AS stranger_name, t.said AS stranger_said,
           t.told, t.approved IS NOT DISTINCT FROM true AND m.key_approved IS NOT TRUE AS stranger_approved,
           t.approved IS NOT DISTINCT FROM false AND m.key_disowned IS NOT TRUE AS stranger_disowned,
           dmarc.class_rule(s.own_spf, s.own_dkim, CASE WHEN s.inside THEN s.reason_types END, coalesce(NOT m.brought_by && m.signed_by, false),
                            s.inside AND (coalesce(CASE WHEN t.approved IS FALSE THEN m.product_approved ELSE m.approved END, false) OR t.approved IS TRUE),
                            s.inside AND coalesce(CASE WHEN t.approved IS FALSE THEN m.known_product ELSE m.known_sender END, false),
                            s.inside AND o.n IS NOT NULL,
                            y.n IS NOT NULL, s.inside AND s.own_signed, s.inside AND (coalesce(m.disowned, false) OR t.approved IS FALSE),
                            o.n IS NOT NULL OR t.n IS NOT NULL) AS decided
    FROM seen s
    LEFT JOIN who w ON w.n = s.n
    LEFT JOIN relay y ON y.n = s.n
    LEFT JOIN matches m ON m.n = s.n
    LEFT JOIN own o ON o.n = s.n
    LEFT JOIN stranger t ON t.n = s.n
)
SELECT r.domain, r.hash, r.header_from, r.dkim_aligned, r.spf_aligned, r.dkim_aligned_domain, r.dkim_aligned_selector,
       r.spf_aligned_domain, r.dkim_domains, r.dkim_selectors, r.spf_domains, r.spf_scopes, r.reason_types,
       dmarc.class_of(r.decided), r.decided,
       CASE WHEN b.by_relay THEN r.relay_key WHEN NOT b.by_stranger THEN r.who_key END,
       CASE WHEN b.by_relay THEN r.relay_name
            WHEN b.by_stranger AND r.stranger_approved THEN r.told || ' (approved)'
            WHEN b.by_stranger THEN r.stranger_name || ' (not known)'
            WHEN r.who_key IS NOT NULL THEN r.who_name
            WHEN r.own_dkim THEN 'own mail (' || coalesce('selector ' || r.dkim_aligned_selector, 'd=' || r.dkim_aligned_domain) || ')'
            WHEN r.own_spf THEN 'own mail (spf ' || r.spf_aligned_domain || ')'
            WHEN r.own_name IS NOT NULL THEN 'own mail (' || r.own_name || CASE WHEN r.inside THEN '' ELSE ', From: outside' END || ')'
            WHEN r.stranger_name IS NOT NULL THEN r.stranger_name || ' (not known)'
            ELSE 'nothing authenticates' END,
       b.by_relay OR (r.who_key IS NOT NULL AND NOT b.by_stranger),
       CASE WHEN b.by_relay THEN r.relay_kind WHEN NOT b.by_stranger THEN r.who_kind END,
       CASE WHEN b.by_relay THEN r.relay_confidence
            WHEN b.by_stranger THEN 'medium'
            WHEN r.who_key IS NOT NULL THEN r.who_confidence
            WHEN r.own_dkim OR r.own_spf THEN 'high'
            WHEN r.own_name IS NOT NULL OR r.stranger_name IS NOT NULL THEN 'medium'
            ELSE 'none' END,
       CASE WHEN b.by_relay THEN r.relay_said
            WHEN b.by_stranger THEN r.stranger_said
            WHEN r.who_key IS NOT NULL THEN r.who_said
            WHEN r.own_dkim THEN 'dkim d=' || r.dkim_aligned_domain || coalesce(' s=' || r.dkim_aligned_selector, '') || ', passed'
            WHEN r.own_spf THEN 'spf ' || r.spf_aligned_domain || ', passed'
            WHEN r.own_name IS NOT NULL THEN r.own_said
            WHEN r.stranger_name IS NOT NULL THEN r.stranger_said
            ELSE 'nothing passed' END
       || CASE WHEN r.decided = 'reason' THEN '; reporter says: ' || array_to_string(r.reason_types, ', ') ELSE '' END,
       CASE WHEN dmarc.class_of(r.decided) = 'misconfigured' THEN replace(CASE
            WHEN b.by_stranger THEN 'let it sign with DKIM as {domain}, or send with a MAIL FROM below {domain}'
            WHEN r.own_strength < 3 THEN 'alignment is strict: sign with d=' || r.header_from || ' exactly, or publish '
                || CASE r.own_strength WHEN 1 THEN 'adkim=r' ELSE 'aspf=r' || coalesce('; to sign: ' || r.who_advice, '') END
            WHEN r.who_key IS NULL THEN 'HELO alone passed, and never aligns: sign with DKIM as {domain}, or let SPF of a MAIL FROM at {domain} pass'
            ELSE coalesce(r.who_advice, 'set it up to sign with DKIM as {domain}')
                || CASE WHEN r.for_stranger AND r.decided = 'known' THEN '; but if ' || r.stranger_name || ' sends it, whose name passed, too: '
                        || 'let that sign with DKIM as {domain}, or disown ' || r.stranger_name ELSE '' END END, '{domain}', r.header_from) END, r.own_signed
FROM ruled r
CROSS JOIN LATERAL (SELECT r.decided IN ('reason', 'survived', 'relay') AND r.relay_key IS NOT NULL AS by_relay,
                           r.decided = 'approved' AND r.stranger_approved OR r.decided = 'disowned' AND r.stranger_disowned AS by_stranger) b;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.judge(dmarc_store.profile[]) IS 'The profiles with class, name and what these rest on, by the catalogue as it is now';
