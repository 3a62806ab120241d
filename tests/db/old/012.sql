-- Nothing was kept of addresses; the function of the addresses that send had fewer columns.
CREATE FUNCTION dmarc.sources(policy_domain text, since date, until date, only_trusted boolean) RETURNS TABLE (domain text) LANGUAGE sql AS $fn$ SELECT 'old' $fn$;

-- then

-- it is the new one
SELECT count(*) FROM dmarc.sources('example.com') s WHERE s.reverse_name IS NULL;
--= 0
SELECT count(*) FROM dmarc.address;
--= 0
