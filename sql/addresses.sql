-- Whose addresses are: which to ask about, and what was found out. See "whosends names".

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

-- The sender that the catalogue has for a reverse name: the longest rule, a user's own before all others.
CREATE OR REPLACE FUNCTION dmarc_store.sender_by_name(name text) RETURNS dmarc_store.sender
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    who dmarc_store.sender;
BEGIN
    IF dmarc.is_name(name) THEN
        SELECT s.* INTO who
        FROM dmarc_store.sender_rule r JOIN dmarc_store.sender s ON s.key = r.sender
        WHERE r.kind = 'ptr_domain' AND r.pattern = ANY (dmarc.suffixes(string_to_array(sender_by_name.name, '.')))
        ORDER BY r.origin = 'user' DESC, length(r.pattern) DESC, s.key
        LIMIT 1;
    END IF;
    RETURN who;
END
$fn$;
COMMENT ON FUNCTION dmarc_store.sender_by_name(text) IS 'Who is known by a reverse name; only for names that are confirmed';
