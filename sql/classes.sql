-- Who sent it and may he: the rules, as pure functions over what of a message authenticated (one row of dmarc_store.profile).
-- dmarc_store.judge() in judge.sql puts them together with the catalogue.
--
-- A name is only ever given for something that PASSED: the d= of a DKIM signature, the selector of a passing signature of
-- the domain itself, or the MAIL FROM or HELO domain that passed SPF. Whoever forges a message chooses its header, its
-- selectors, its envelope and his reverse name, but cannot make somebody else's name pass. What passes and is not in the
-- catalogue is shown as the plain domain, with a mark.

-- Whether a text can be the name of a domain at all. Reports come from strangers, who may write anything there.
CREATE OR REPLACE FUNCTION dmarc.is_name(name text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT name ~ '^[a-z0-9_-]{1,63}([.][a-z0-9_-]{1,63})+$' AND length(name) <= 253
$fn$;
COMMENT ON FUNCTION dmarc.is_name(text) IS 'Whether the text can be a domain name, in lower case and with at least two labels';

-- "a.b.example.com" gives "example.com", "b.example.com", "a.b.example.com": the keys under which the catalogue is asked, so
-- that a look-up is a few index probes however large the catalogue is. A slice that begins before the first label is
-- the whole name once more, which does no harm in "= ANY".
CREATE OR REPLACE FUNCTION dmarc.suffixes(labels text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT ARRAY[array_to_string(labels[cardinality(labels) - 1:], '.'), array_to_string(labels[cardinality(labels) - 2:], '.'),
                 array_to_string(labels[cardinality(labels) - 3:], '.'), array_to_string(labels[cardinality(labels) - 4:], '.'),
                 array_to_string(labels[cardinality(labels) - 5:], '.')]
$fn$;
COMMENT ON FUNCTION dmarc.suffixes(text[]) IS 'Of the labels of a name: the names of two to six labels at its end';

-- Whether an authenticated name is the domain's own: the From: domain, something below it, the policy domain, or the one
-- that was found to be aligned (which the parser decides, with the Public Suffix List). Domains beside it, such as
-- b.example for a.example, are only the domain's own when they aligned.
CREATE OR REPLACE FUNCTION dmarc.is_own(name text, header_from text, domain text, aligned text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT name = header_from OR name = domain OR name IS NOT DISTINCT FROM aligned
        OR (header_from <> '' AND right(name, length(header_from) + 1) = '.' || header_from)
$fn$;
COMMENT ON FUNCTION dmarc.is_own(text, text, text, text) IS 'Whether an authenticated name belongs to the From: domain itself';

-- A name beside the From: domain, below the policy domain of both, is the owner's, too, and where alignment is strict it does not align.
CREATE OR REPLACE FUNCTION dmarc_store.is_ours(name text, header_from text, domain text, aligned text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT dmarc.is_own(name, header_from, domain, aligned) OR right(name, length(domain) + 1) = '.' || domain
$fn$;
COMMENT ON FUNCTION dmarc_store.is_ours(text, text, text, text) IS 'Whether an authenticated name belongs to the owner of the policy domain';

-- A From: that is not the policy domain or below it is none of its mail, whatever authenticates: a reporter who tells of two addresses
-- in one From:, or errs.
CREATE OR REPLACE FUNCTION dmarc_store.is_inside(header_from text, domain text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT header_from IN (domain, '') OR right(header_from, length(domain) + 1) = '.' || domain
$fn$;
COMMENT ON FUNCTION dmarc_store.is_inside(text, text) IS 'Whether a From: domain is the policy domain or below it';

-- Providers with customers below one name (contoso.onmicrosoft.com, example-com.20230601.gappssmtp.com): whether the
-- first label looks like the policy domain. Then it is the domain's own account there, not somebody else's that relays. What stands
-- before the policy domain in From: says nothing, since a forger chooses it. Google writes the whole domain: the label "bank-example" is
-- of bank.example, and not of bank-example.com.
DROP FUNCTION IF EXISTS dmarc.is_own_tenant(text, text, text);
CREATE OR REPLACE FUNCTION dmarc_store.is_own_tenant(name text, domain text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT split_part(name, '.', 1) = translate(domain, '.', '-')
        OR split_part(name, '.', 1) IN (replace(domain, '.', ''), split_part(domain, '.', 1)) AND right(name, 14) <> '.gappssmtp.com'
$fn$;
COMMENT ON FUNCTION dmarc_store.is_own_tenant(text, text) IS 'Whether the first label of a provider''s customer name resembles the policy domain';

CREATE OR REPLACE FUNCTION dmarc_store.host_kind(name text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT regexp_replace(split_part(name, '.', 1), '[0-9]+', '#', 'g')
$fn$;
COMMENT ON FUNCTION dmarc_store.host_kind(text) IS 'The first label of a name, with a # for each run of digits: what rules that tell host and selector (em#/s1) begin with';

-- The class, as the rule that decides it; the first that holds:
--   spf_aligned    SPF passed and aligns: the address is one that the domain lists itself.
--   reason         the reporter says that it was forwarded, comes from a forwarder it trusts, or went through a list.
--   survived       DKIM passed and aligns, but the mail was brought by a mailbox provider, forwarder, gateway or list, and
--                  that is not what signed: the signature survived from elsewhere. It was brought by them when their MAIL
--                  FROM passed SPF, or when a forwarder, a list or another customer's account there signed it, too.
--   dkim_aligned   DKIM passed and aligns.
--   approved       a sender that the owner of the domain approved passed as itself: it is yours, and does not authenticate as
--                  the domain.
--   known          a known sender, other than those that relay, passed as itself: it may be yours, but does not
--                  authenticate as the domain. A provider's customer name that resembles the domain counts as this. A carrier counts
--                  neither for this nor for the rule before it when a stranger who is disowned passed, too: it is his account there.
--   unaligned      the domain's own name passed, or one below the policy domain, but does not align: alignment is strict, or it was
--                  HELO, which never aligns.
--   relay          a mailbox provider, forwarder, gateway or list passed as itself, and a signature of the domain itself is
--                  there, which broke on the way.
--   disowned       a sender that the owner of the domain disowned passed as itself.
--   stranger       something passed that nobody knows; or a mailbox provider or the like, of which anybody can have an account,
--                  and the domain did not sign it.
--   nothing        nothing passed.
-- dkim_aligned and spf_aligned are our own, worked out again from the results, never the reporter's. Of a From: that is outside of the
-- policy domain nothing is aligned, and only names of the policy domain are its own; whoever sent it, it is a stranger.
CREATE OR REPLACE FUNCTION dmarc.class_rule(spf_aligned boolean, dkim_aligned boolean, reason_types text[], survived boolean,
                                            approved boolean, known boolean, own boolean, relayed boolean, own_signed boolean,
                                            disowned boolean, passed boolean) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT CASE
        WHEN spf_aligned THEN 'spf_aligned'
        WHEN reason_types && ARRAY['forwarded', 'trusted_forwarder', 'mailing_list'] THEN 'reason'
        WHEN dkim_aligned AND survived THEN 'survived'
        WHEN dkim_aligned THEN 'dkim_aligned'
        WHEN approved THEN 'approved'
        WHEN known THEN 'known'
        WHEN own THEN 'unaligned'
        WHEN relayed AND own_signed THEN 'relay'
        WHEN disowned THEN 'disowned'
        WHEN passed THEN 'stranger'
        ELSE 'nothing'
    END
$fn$;
COMMENT ON FUNCTION dmarc.class_rule(boolean, boolean, text[], boolean, boolean, boolean, boolean, boolean, boolean, boolean, boolean)
    IS 'The rule that decides the class: spf_aligned, reason, survived, dkim_aligned, approved, known, unaligned, relay, disowned, stranger, nothing';

CREATE OR REPLACE FUNCTION dmarc.class_of(rule text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT CASE
        WHEN rule IN ('spf_aligned', 'dkim_aligned') THEN 'authorised'
        WHEN rule IN ('approved', 'known', 'unaligned') THEN 'misconfigured'
        WHEN rule IN ('reason', 'survived', 'relay') THEN 'forwarded'
        ELSE 'unknown'
    END
$fn$;
COMMENT ON FUNCTION dmarc.class_of(text) IS 'The class that a rule stands for: authorised, misconfigured, forwarded, unknown';

-- Which of the DKIM results tells best why DKIM does not align: of a signature of the domain itself first, then of one that passed, then
-- any. NULL when there is none. Mostly there are at most two, and then nothing is sorted: a subquery costs more than all the rest.
CREATE OR REPLACE FUNCTION dmarc_store.telling_dkim_of_many(header_from text, domain text, domains text[], results text[]) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT d.n::int
    FROM unnest(domains, results) WITH ORDINALITY AS d (name, result, n)
    ORDER BY dmarc_store.is_ours(d.name, header_from, domain, NULL) IS TRUE DESC, d.result IS NOT DISTINCT FROM 'pass' DESC, d.n
    LIMIT 1
$fn$;
COMMENT ON FUNCTION dmarc_store.telling_dkim_of_many(text, text, text[], text[]) IS 'The place of the DKIM result that explains best why DKIM does not align, of any number of them';

CREATE OR REPLACE FUNCTION dmarc_store.telling_dkim(header_from text, domain text, domains text[], results text[]) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT CASE cardinality(domains)
        WHEN 0 THEN NULL
        WHEN 1 THEN 1
        WHEN 2 THEN CASE WHEN (dmarc_store.is_ours(domains[2], header_from, domain, NULL) IS TRUE, results[2] IS NOT DISTINCT FROM 'pass')
                            > (dmarc_store.is_ours(domains[1], header_from, domain, NULL) IS TRUE, results[1] IS NOT DISTINCT FROM 'pass') THEN 2 ELSE 1 END
        ELSE dmarc_store.telling_dkim_of_many(header_from, domain, domains, results) END
$fn$;
COMMENT ON FUNCTION dmarc_store.telling_dkim(text, text, text[], text[]) IS 'The place of the DKIM result that explains best why DKIM does not align';

-- The same for SPF: only MAIL FROM can align, so it comes before HELO.
CREATE OR REPLACE FUNCTION dmarc_store.telling_spf_of_many(header_from text, domain text, domains text[], scopes text[], results text[]) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT s.n::int
    FROM unnest(domains, scopes, results) WITH ORDINALITY AS s (name, scope, result, n)
    ORDER BY s.scope IS NOT DISTINCT FROM 'helo', dmarc_store.is_ours(s.name, header_from, domain, NULL) IS TRUE DESC,
             s.result IS NOT DISTINCT FROM 'pass' DESC, s.n
    LIMIT 1
$fn$;
COMMENT ON FUNCTION dmarc_store.telling_spf_of_many(text, text, text[], text[], text[]) IS 'The place of the SPF result that explains best why SPF does not align, of any number of them';

CREATE OR REPLACE FUNCTION dmarc_store.telling_spf(header_from text, domain text, domains text[], scopes text[], results text[]) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT CASE cardinality(domains)
        WHEN 0 THEN NULL
        WHEN 1 THEN 1
        WHEN 2 THEN CASE WHEN (scopes[2] IS DISTINCT FROM 'helo', dmarc_store.is_ours(domains[2], header_from, domain, NULL) IS TRUE,
                               results[2] IS NOT DISTINCT FROM 'pass')
                            > (scopes[1] IS DISTINCT FROM 'helo', dmarc_store.is_ours(domains[1], header_from, domain, NULL) IS TRUE,
                               results[1] IS NOT DISTINCT FROM 'pass') THEN 2 ELSE 1 END
        ELSE dmarc_store.telling_spf_of_many(header_from, domain, domains, scopes, results) END
$fn$;
COMMENT ON FUNCTION dmarc_store.telling_spf(text, text, text[], text[], text[]) IS 'The place of the SPF result that explains best why SPF does not align';

-- What the result at such a place says, in words, and in one word: missing, alignment (the domain's own name passed, and alignment is
-- strict), other domain (another one passed), helo (that alone passed, and never aligns), else the result.
CREATE OR REPLACE FUNCTION dmarc_store.dkim_said(place int, domains text[], selectors text[], results text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT CASE WHEN place IS NULL THEN 'not signed'
                ELSE 'd=' || coalesce(domains[place], '?') || coalesce(' s=' || selectors[place], '') || ' '
                     || CASE WHEN results[place] = 'pass' THEN 'passed, not aligned' ELSE coalesce(results[place], 'unknown result') END END
$fn$;
COMMENT ON FUNCTION dmarc_store.dkim_said(int, text[], text[], text[]) IS 'In words: a DKIM result, by its place';

CREATE OR REPLACE FUNCTION dmarc_store.spf_said(place int, domains text[], scopes text[], results text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT CASE WHEN place IS NULL THEN 'no result'
                ELSE coalesce(domains[place], '?') || CASE WHEN scopes[place] = 'helo' THEN ' (helo) ' ELSE ' ' END
                     || CASE WHEN results[place] = 'pass' THEN 'passed, not aligned' ELSE coalesce(results[place], 'unknown result') END END
$fn$;
COMMENT ON FUNCTION dmarc_store.spf_said(int, text[], text[], text[]) IS 'In words: an SPF result, by its place';

CREATE OR REPLACE FUNCTION dmarc_store.why_not(place int, header_from text, domain text, domains text[], scopes text[], results text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT CASE WHEN place IS NULL THEN 'missing'
                WHEN results[place] IS DISTINCT FROM 'pass' THEN coalesce(results[place], 'unknown')
                WHEN scopes[place] = 'helo' THEN 'helo'
                WHEN dmarc_store.is_ours(domains[place], header_from, domain, NULL) THEN 'alignment' ELSE 'other domain' END
$fn$;
COMMENT ON FUNCTION dmarc_store.why_not(int, text, text, text[], text[], text[]) IS 'Why the result at a place does not align, in a word; DKIM has no scopes (NULL)';

CREATE OR REPLACE FUNCTION dmarc.dkim_failure(header_from text, domain text, domains text[], selectors text[], results text[])
RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT dmarc_store.dkim_said(dmarc_store.telling_dkim(header_from, domain, domains, results), domains, selectors, results)
$fn$;
COMMENT ON FUNCTION dmarc.dkim_failure(text, text, text[], text[], text[]) IS 'In words: the DKIM result that explains best why DKIM does not align';

CREATE OR REPLACE FUNCTION dmarc.spf_failure(header_from text, domain text, domains text[], scopes text[], results text[])
RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT dmarc_store.spf_said(dmarc_store.telling_spf(header_from, domain, domains, scopes, results), domains, scopes, results)
$fn$;
COMMENT ON FUNCTION dmarc.spf_failure(text, text, text[], text[], text[]) IS 'In words: the SPF result that explains best why SPF does not align';

CREATE OR REPLACE FUNCTION dmarc.dkim_why(header_from text, domain text, domains text[], selectors text[], results text[], OUT why text, OUT selector text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT dmarc_store.why_not(t.place, header_from, domain, domains, NULL, results), selectors[t.place]
    FROM (SELECT dmarc_store.telling_dkim(header_from, domain, domains, results) AS place) t
$fn$;
COMMENT ON FUNCTION dmarc.dkim_why(text, text, text[], text[], text[]) IS 'Why DKIM does not align: missing, alignment (it is strict), other domain, or the result; and the selector of the signature that this is about';

CREATE OR REPLACE FUNCTION dmarc.spf_why(header_from text, domain text, domains text[], scopes text[], results text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT dmarc_store.why_not(dmarc_store.telling_spf(header_from, domain, domains, scopes, results), header_from, domain, domains, scopes, results)
$fn$;
COMMENT ON FUNCTION dmarc.spf_why(text, text, text[], text[], text[]) IS 'Why SPF does not align: missing, alignment (it is strict), other domain, helo (that alone passed, and never aligns), or the result';
