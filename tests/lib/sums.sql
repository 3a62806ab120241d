-- Each sum that is not what the records say, by the checks of "whosends fsck" that need no ledger: one row each, none when all is well.
SELECT f.check_name, f.wrong, f.example FROM dmarc.fsck() f
WHERE f.wrong > 0 AND f.check_name IN ('report_totals', 'record_has_report', 'record_has_evidence', 'evidence_has_profile', 'profile_hash', 'profile_class',
                                       'profile_day', 'profile_source', 'unfolded', 'domain_day')
ORDER BY 1;
