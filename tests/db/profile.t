#!/bin/bash
# What the writer makes of records (db/profile.c) and what dmarc_store.profile_of() does is the same, down to the hash: of records
# with each kind of name, result, scope and reason in it, many times over.
. tests/lib/cli_database.sh profile
python3 - "$dir/mail" <<'PY'
import random
import sys
random.seed(7489)
NAMES = ["a.example", "A.Example", "news.a.example", "x.news.a.example", "nota.example", "a.example.evil.test", "sendgrid.net", "gmail.com",
         "evil.test", "", "com", "b\u00fccher.example", "own mail (x)", "a..example", "-", "_x.a.example", "a.example.", "a" * 64 + ".example",
         "l" * 63 + "." + "l" * 63 + "." + "l" * 63 + "." + "l" * 61 + ".a", "l" * 63 + "." + "l" * 63 + "." + "l" * 63 + "." + "l" * 60 + ".a"]
RESULTS = ["pass", "pass", "pass", "fail", "none", "neutral", "temperror", "Pass", "hardfail", "what", ""]
SELECTORS = ["s1", "s2", "", None, "S1", "\u00e4", "a;b", "5:x;"]
SCOPES = ["mfrom", "helo", None, "MFROM"]
REASONS = ["forwarded", "mailing_list", "local_policy", "other", "trusted_forwarder", "sampled_out", "strange", ""]


def tag(name, value):
    return "" if value is None else f"<{name}>{value}</{name}>"


def record(n):
    dkim = "".join("<dkim>" + tag("domain", random.choice(NAMES)) + tag("selector", random.choice(SELECTORS))
                   + tag("result", random.choice(RESULTS)) + "</dkim>" for _ in range(random.choice([0, 1, 1, 2, 2, 3, 6])))
    spf = "".join("<spf>" + tag("domain", random.choice(NAMES)) + tag("scope", random.choice(SCOPES))
                  + tag("result", random.choice(RESULTS)) + "</spf>" for _ in range(random.choice([0, 1, 1, 2])))
    reasons = "".join("<reason>" + tag("type", random.choice(REASONS)) + "</reason>" for _ in range(random.choice([0, 0, 0, 1, 2, 3])))
    return (f"<record><row><source_ip>192.0.2.{n % 250}</source_ip><count>{n + 1}</count><policy_evaluated><disposition>none</disposition>"
            f"<dkim>fail</dkim><spf>fail</spf>{reasons}</policy_evaluated></row><identifiers>"
            f"<header_from>{random.choice(['a.example', 'news.a.example', 'b.test', ''])}</header_from></identifiers>"
            f"<auth_results>{dkim}{spf}</auth_results></record>")


for number, strict in enumerate("rs"):
    with open(f"{sys.argv[1]}/{number}.xml", "w", encoding="utf-8") as out:
        out.write(f"<feedback><report_metadata><org_name>r</org_name><email>r@r.test</email><report_id>{number}</report_id>"
                  "<date_range><begin>1790812800</begin><end>1790899199</end></date_range></report_metadata><policy_published>"
                  f"<domain>a.example</domain><adkim>{strict}</adkim><aspf>{strict}</aspf><p>none</p></policy_published>")
        out.write("".join(record(n) for n in range(1500)) + "</feedback>")
PY
run ingest --quiet "$dir/mail"
is "both reports are stored" "$(sql "SELECT count(*) FROM dmarc.report")" 2
is "... with many kinds of records" "$(sql "SELECT count(*) > 1500 FROM dmarc_store.evidence")" t
is "the same hash" "$(sql "SELECT count(*) FROM dmarc_store.evidence e WHERE e.profile IS DISTINCT FROM (dmarc_store.profile_of(e)).hash")" 0
is "the same profile" "$(sql "
    SELECT count(*)
    FROM (SELECT e.profile, dmarc_store.profile_of(e) AS o FROM dmarc_store.evidence e) e
    JOIN dmarc_store.profile p ON p.domain = 'a.example' AND p.hash = e.profile
    WHERE (p.header_from, p.dkim_aligned, p.spf_aligned, p.dkim_aligned_domain, p.dkim_aligned_selector, p.spf_aligned_domain, p.dkim_domains,
           p.dkim_selectors, p.spf_domains, p.spf_scopes, p.reason_types, p.own_signed)
          IS DISTINCT FROM ((e.o).header_from, (e.o).dkim_aligned, (e.o).spf_aligned, (e.o).dkim_aligned_domain, (e.o).dkim_aligned_selector,
           (e.o).spf_aligned_domain, (e.o).dkim_domains, (e.o).dkim_selectors, (e.o).spf_domains, (e.o).spf_scopes, (e.o).reason_types, (e.o).own_signed)")" 0
is "of each kind of flag" "$(sql "SELECT string_agg(x::text, ' ' ORDER BY x) FROM (SELECT DISTINCT (dkim_aligned, spf_aligned, own_signed)::text AS x FROM dmarc_store.profile) p")" \
    "(f,f,f) (f,f,t) (f,t,f) (t,f,f) (t,t,f)"

# What an upgrade makes of it.
before=$(sql "SELECT md5(string_agg(d::text, ' ' ORDER BY d::text)) FROM dmarc.daily d")
sql "ALTER TABLE dmarc_store.evidence DROP CONSTRAINT evidence_profile_ck; UPDATE dmarc_store.evidence SET profile = NULL;
     DELETE FROM dmarc_store.profile; SELECT dmarc_store.settle()" >/dev/null
is "profiles and sums made anew are the same" "$(sql "SELECT md5(string_agg(d::text, ' ' ORDER BY d::text)) FROM dmarc.daily d")" "$before"
finish
