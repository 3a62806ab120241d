-- A database that has never seen the program, with an empty schema of its name and tables of somebody else's.
CREATE SCHEMA dmarc;
CREATE TABLE public.report (id int, sender text);
INSERT INTO public.report VALUES (1, 'mine');

-- then

-- what is not ours stays as it is
SELECT id, sender FROM public.report;
--= 1|mine

-- nothing is in ours, but the catalogue
SELECT mails, reports, records FROM dmarc.status();
--= 0|0|0
SELECT count(*) > 100, bool_and(origin = 'builtin') FROM dmarc.sender;
--= t|t
