-- What the pages of tests/html/pages.t are about. Hostile text stands wherever a stranger can write.
\i tests/sql/support.sql

CREATE FUNCTION pg_temp.hostile(n int) RETURNS text LANGUAGE sql AS $fn$
    SELECT (ARRAY[
        '<script>window.pwned=1</script>',
        '"><img src=x onerror=window.pwned=1>',
        ''' onmouseover=''window.pwned=1',
        E'\u202Egnp.exe\u2066 \u200B\uFEFF',
        E'\033[31mred\033]0;title\007',
        '</style></title></svg><svg onload=window.pwned=1>',
        '&lt;b&gt;&#x3c;i&#62; <!-- ]]> --> javascript:window.pwned=1 http://evil.example//x',
        repeat('long', 75),
        E'\u05D0\u05D1\u05D2 \u0627\u0628 1,234'])[n]
$fn$;

-- A month of usual mail, with a gap of five days.
SELECT pg_temp.report(100 + n, 'a.example', '2026-09-01'::date + n, 'reporter' || n % 3 || '.example', CASE WHEN n < 12 THEN 'none' ELSE 'quarantine' END)
FROM generate_series(0, 29) n WHERE n NOT BETWEEN 20 AND 24;
SELECT pg_temp.record(100 + n, 'a.example', '2026-09-01'::date + n, '192.0.2.1', 400 + 150 * (n % 4), '{a.example|s2026|pass}', NULL, 'a.example|s2026')
FROM generate_series(0, 29) n WHERE n NOT BETWEEN 20 AND 24;
SELECT pg_temp.record(100 + n, 'a.example', '2026-09-01'::date + n, '198.51.100.7', 180, NULL, '{bounce.mcsv.net|mfrom|pass}')
FROM generate_series(0, 29) n WHERE n NOT BETWEEN 20 AND 24;
SELECT pg_temp.record(100 + n, 'a.example', '2026-09-01'::date + n, '203.0.113.' || n, 20 * n)
FROM generate_series(1, 12) n;
SELECT pg_temp.record(105, 'a.example', '2026-09-06', '203.0.113.200', 70, '{a.example|s2026|pass}', '{lists.example.net|mfrom|pass}', 'a.example|s2026', NULL, '{forwarded}');
-- One that reports every day, until it does not.
SELECT pg_temp.report(150 + n, 'a.example', '2026-09-01'::date + n, 'daily.example') FROM generate_series(0, 17) n WHERE n NOT IN (7, 8, 11);

-- Hostile text.
SELECT pg_temp.report(200 + n, 'hostile.example', '2026-09-10'::date + n, pg_temp.hostile(n)) FROM generate_series(1, 9) n;
SELECT pg_temp.record(200 + n, 'hostile.example', '2026-09-10'::date + n, '2001:db8::' || n, 10 * n, ARRAY[pg_temp.hostile(n) || '.example|' || pg_temp.hostile(n) || '|pass'])
FROM generate_series(1, 9) n;
SELECT pg_temp.record(200 + n, 'hostile.example', '2026-09-10'::date + n, '192.0.2.77', 3, ARRAY['hostile.example|' || pg_temp.hostile(n) || '|pass'], NULL, 'hostile.example|' || pg_temp.hostile(n))
FROM generate_series(1, 9) n;
SELECT pg_temp.report(220 + 10 * d + n, 'hostile.example', '2026-09-20'::date + d, pg_temp.hostile(n)) FROM generate_series(1, 9) n, generate_series(0, 3) d;
UPDATE dmarc_store.report SET org_name = pg_temp.hostile(id::int % 10), p = CASE id WHEN 205 THEN pg_temp.hostile(1) ELSE p END WHERE domain = 'hostile.example';

-- One day; one class only; figures that no integer holds; names that are no name of a file.
SELECT pg_temp.report(300, 'day.example', '2026-09-10');
SELECT pg_temp.record(300, 'day.example', '2026-09-10', '192.0.2.1', 70, '{day.example|s|pass}', NULL, 'day.example|s');
SELECT pg_temp.record(300, 'day.example', '2026-09-10', '192.0.2.2', 30);
SELECT pg_temp.report(310 + n, 'huge.example', '2026-09-10'::date + n) FROM generate_series(0, 2) n;
SELECT pg_temp.record(310 + n % 3, 'huge.example', '2026-09-10'::date + n % 3, '192.0.2.' || n, 9000000000000000000, '{huge.example|s|pass}', NULL, 'huge.example|s')
FROM generate_series(0, 13) n;
SELECT pg_temp.report(320, 'index', '2026-09-10');
SELECT pg_temp.record(320, 'index', '2026-09-10', '192.0.2.1', 1);
SELECT pg_temp.report(321, '../../up', '2026-09-10');
SELECT pg_temp.record(321, '../../up', '2026-09-10', '192.0.2.1', 1);
SELECT pg_temp.report(330, 'empty.example', '2026-09-10');

-- More senders than a page shows, and years of reports.
SELECT pg_temp.report(400, 'many.example', '2026-09-10');
SELECT pg_temp.record(400, 'many.example', '2026-09-10', ('10.' || n || '.0.1'), 1000 - n, ARRAY['sender' || n || '.example|s|pass'])
FROM generate_series(1, 120) n;
SELECT pg_temp.report(500 + n, 'years.example', '2020-01-01'::date + 10 * n) FROM generate_series(0, 200) n;
SELECT pg_temp.record(500 + n, 'years.example', '2020-01-01'::date + 10 * n, '192.0.2.1', n + 1, '{years.example|s|pass}', NULL, 'years.example|s')
FROM generate_series(0, 200) n;
SELECT pg_temp.sum_up();
COMMIT;
