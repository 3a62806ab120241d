-- What the tables of the ledger and of the reports mean. Views and functions are described where they are defined.

COMMENT ON TABLE dmarc.schema_version IS 'The numbered migrations that were applied';
COMMENT ON COLUMN dmarc.schema_version.version IS 'number of the migration';
COMMENT ON COLUMN dmarc.schema_version.name IS 'its file';
COMMENT ON COLUMN dmarc.schema_version.applied_at IS 'when';

COMMENT ON TABLE dmarc.repeatable IS 'What the views, functions and catalogues were last installed from: one row';
COMMENT ON COLUMN dmarc.repeatable.one IS 'always true';
COMMENT ON COLUMN dmarc.repeatable.hash IS 'SHA-256 over the files';
COMMENT ON COLUMN dmarc.repeatable.version IS 'schema version at that time';
COMMENT ON COLUMN dmarc.repeatable.applied_at IS 'when';

COMMENT ON TABLE dmarc_store.message IS 'The ledger: one row for each mail or file that was read. Each has one outcome, so that mails = stored + duplicate + no_report + problem';
COMMENT ON COLUMN dmarc_store.message.id IS 'number of the row; ids of one source need not follow each other';
COMMENT ON COLUMN dmarc_store.message.sha256 IS 'SHA-256 of the mail as it came';
COMMENT ON COLUMN dmarc_store.message.source IS 'where it came from: imap://, maildir:, mbox: or file: reference';
COMMENT ON COLUMN dmarc_store.message.identity IS 'source and sha256 together name this mail and no other, so that it is never counted again';
COMMENT ON COLUMN dmarc_store.message.message_id IS 'Message-ID';
COMMENT ON COLUMN dmarc_store.message.mail_from IS 'From:';
COMMENT ON COLUMN dmarc_store.message.from_domain IS 'domain of From:, lower case';
COMMENT ON COLUMN dmarc_store.message.subject IS 'Subject';
COMMENT ON COLUMN dmarc_store.message.mail_date IS 'Date:';
COMMENT ON COLUMN dmarc_store.message.size IS 'bytes';
COMMENT ON COLUMN dmarc_store.message.outcome IS 'stored: at least one report in it was new; duplicate: all were there already; no_report: none in it; problem: something could not be read and nothing new was stored';
COMMENT ON COLUMN dmarc_store.message.code IS 'short name of why the mail as a whole is a problem';
COMMENT ON COLUMN dmarc_store.message.detail IS 'the same in words';
COMMENT ON COLUMN dmarc_store.message.ingested_at IS 'when it was read';
COMMENT ON COLUMN dmarc_store.message.auth_result IS 'whether our own mail server found the mail to be from the domain of its From: pass, fail or none; NULL when no server that we trust says so';
COMMENT ON COLUMN dmarc_store.message.auth_domain IS 'the domain that passed: of DMARC, else of an aligned DKIM signature, else of aligned SPF';

COMMENT ON COLUMN dmarc_store.message.original IS 'kept: in dmarc.original; private: not kept, because a failure report or other feedback was in it, which holds mail of others; too_large: not kept, over limit original_size; NULL: not wanted, or not to be had';
COMMENT ON COLUMN dmarc_store.message.reread_at IS 'when reading it again last changed something; what was known before is in dmarc.reading';

COMMENT ON TABLE dmarc_store.mailbox IS 'How far IMAP folders were read whose mails are left in them. A row that is deleted is no loss: all that is still there is read once more, and what the ledger knows is not counted again';
COMMENT ON COLUMN dmarc_store.mailbox.mailbox IS 'imap://USER@HOST/FOLDER';
COMMENT ON COLUMN dmarc_store.mailbox.uidvalidity IS 'of the folder when it was read; the next column means nothing for another one';
COMMENT ON COLUMN dmarc_store.mailbox.uid IS 'mails with this UID and lower ones are in the ledger, and are not read again';
COMMENT ON COLUMN dmarc_store.mailbox.read_at IS 'when that was noted last';

COMMENT ON TABLE dmarc_store.original IS 'The mails themselves, to be read again: one row for each mail that is kept. They hold all that was mailed; readers of the reports have no right to them';
COMMENT ON COLUMN dmarc_store.original.mail_sha256 IS 'sha256 of dmarc.message';
COMMENT ON COLUMN dmarc_store.original.size IS 'bytes of the mail';
COMMENT ON COLUMN dmarc_store.original.data IS 'the mail, packed by zlib (RFC 1950)';
COMMENT ON COLUMN dmarc_store.original.kept_at IS 'when it was kept';

COMMENT ON TABLE dmarc_store.reading IS 'What was known of a mail before it was read again: one row for each time that this changed something. What is known now is in dmarc.message and dmarc.document';
COMMENT ON COLUMN dmarc_store.reading.mail_sha256 IS 'sha256 of dmarc.message';
COMMENT ON COLUMN dmarc_store.reading.message IS 'id of dmarc.message';
COMMENT ON COLUMN dmarc_store.reading.ordinal IS 'the how many, from 1';
COMMENT ON COLUMN dmarc_store.reading.read_until IS 'when it was read again';
COMMENT ON COLUMN dmarc_store.reading.command IS 'by what: retry or reparse';
COMMENT ON COLUMN dmarc_store.reading.outcome IS 'outcome of the mail until then';
COMMENT ON COLUMN dmarc_store.reading.problems IS 'its problems until then: code and detail of the mail and of its documents; NULL for none';

COMMENT ON TABLE dmarc_store.document IS 'What was found in each mail: one row for each leaf of the mail and each member of an archive';
COMMENT ON COLUMN dmarc_store.document.mail_sha256 IS 'sha256 of dmarc.message';
COMMENT ON COLUMN dmarc_store.document.message IS 'id of dmarc.message';
COMMENT ON COLUMN dmarc_store.document.ordinal IS 'place in the mail, from 1';
COMMENT ON COLUMN dmarc_store.document.path IS 'where in the mail: part and members of archives';
COMMENT ON COLUMN dmarc_store.document.kind IS 'aggregate, failure, tls, feedback (about something else than authentication), archive, text, other';
COMMENT ON COLUMN dmarc_store.document.size IS 'bytes, unpacked; NULL when unknown';
COMMENT ON COLUMN dmarc_store.document.sha256 IS 'SHA-256 of the unpacked document';
COMMENT ON COLUMN dmarc_store.document.outcome IS 'stored, duplicate, no_report or problem, as in dmarc.message';
COMMENT ON COLUMN dmarc_store.document.code IS 'short name of why it is a problem';
COMMENT ON COLUMN dmarc_store.document.detail IS 'the same in words';
COMMENT ON COLUMN dmarc_store.document.warnings IS 'codes of what was mended on the way to it, such as ctype, ext, zip_extra, cte, mime, truncated; NULL for none';
COMMENT ON COLUMN dmarc_store.document.domain IS 'policy domain of the report';
COMMENT ON COLUMN dmarc_store.document.day IS 'UTC day of the report';
COMMENT ON COLUMN dmarc_store.document.report IS 'id of the report in dmarc.report, dmarc.failure_report or dmarc.tls_report, by kind, together with domain and day; for a duplicate the one that was there';

COMMENT ON TABLE dmarc_store.report IS 'One row for each aggregate report that is stored; what the reporter says about itself and about the policy that it found';
COMMENT ON COLUMN dmarc_store.report.id IS 'number of the report; join with domain and day';
COMMENT ON COLUMN dmarc_store.report.domain IS 'policy domain: whose DMARC policy was applied';
COMMENT ON COLUMN dmarc_store.report.day IS 'UTC day on which the period begins';
COMMENT ON COLUMN dmarc_store.report.identity IS 'hash over reporter, report_id, domain, begin and end';
COMMENT ON COLUMN dmarc_store.report.content IS 'hash over all that the report says; the same identity with the same content is a duplicate and is not stored again';
COMMENT ON COLUMN dmarc_store.report.reporter IS 'domain of the reporters e-mail address, else its name in lower case';
COMMENT ON COLUMN dmarc_store.report.org_name IS 'name of the reporter';
COMMENT ON COLUMN dmarc_store.report.email IS 'its e-mail address';
COMMENT ON COLUMN dmarc_store.report.extra_contact_info IS 'as it says';
COMMENT ON COLUMN dmarc_store.report.report_id IS 'its number for the report';
COMMENT ON COLUMN dmarc_store.report.period_begin IS 'begin of the period';
COMMENT ON COLUMN dmarc_store.report.period_end IS 'end of the period';
COMMENT ON COLUMN dmarc_store.report.generation IS 'RFC 7489 or RFC 9990';
COMMENT ON COLUMN dmarc_store.report.namespace_uri IS 'XML namespace';
COMMENT ON COLUMN dmarc_store.report.version IS 'version that the report names';
COMMENT ON COLUMN dmarc_store.report.generator IS 'software that the report names';
COMMENT ON COLUMN dmarc_store.report.error IS 'errors that the reporter tells of';
COMMENT ON COLUMN dmarc_store.report.p IS 'published policy: none, quarantine, reject';
COMMENT ON COLUMN dmarc_store.report.sp IS 'policy for sub-domains';
COMMENT ON COLUMN dmarc_store.report.np IS 'policy for sub-domains that do not exist';
COMMENT ON COLUMN dmarc_store.report.adkim IS 'alignment of DKIM: r or s; NULL means r';
COMMENT ON COLUMN dmarc_store.report.aspf IS 'alignment of SPF: r or s; NULL means r';
COMMENT ON COLUMN dmarc_store.report.pct IS 'percentage, RFC 7489';
COMMENT ON COLUMN dmarc_store.report.fo IS 'options for failure reports';
COMMENT ON COLUMN dmarc_store.report.testing IS 't tag: y or n';
COMMENT ON COLUMN dmarc_store.report.discovery_method IS 'psl or treewalk';
COMMENT ON COLUMN dmarc_store.report.extensions IS 'extensions of the report as XML text';
COMMENT ON COLUMN dmarc_store.report.raw IS 'element=word for each word that had to be normalised';
COMMENT ON COLUMN dmarc_store.report.record_count IS 'records that are stored';
COMMENT ON COLUMN dmarc_store.report.records_seen IS 'records in the report, those that could not be read included';
COMMENT ON COLUMN dmarc_store.report.message_count IS 'sum of the messages of the records';
COMMENT ON COLUMN dmarc_store.report.incomplete IS 'the text broke off; the records up to there are stored';
COMMENT ON COLUMN dmarc_store.report.id_collision IS 'another report has the same identity and other content';
COMMENT ON COLUMN dmarc_store.report.trusted IS 'a mail brought it that authenticates as the reporter; false: it came in the reporters name from elsewhere (reporter_mismatch); NULL: not known';
COMMENT ON COLUMN dmarc_store.report.foreign_domain IS 'about a domain that is not among those of the configuration';
COMMENT ON COLUMN dmarc_store.report.replaced IS 'an incomplete report that a better copy took the place of: its records are gone, and it counts nowhere';
COMMENT ON COLUMN dmarc_store.report.warnings IS 'codes of what was odd and could be mended';
COMMENT ON COLUMN dmarc_store.report.warning_notes IS 'the first case of each warning in words';
COMMENT ON COLUMN dmarc_store.report.ingested_at IS 'when it was stored';

COMMENT ON TABLE dmarc_store.evidence IS 'What a reporter saw of messages, without address and count: stored once for each policy domain however often it repeats. dmarc.record shows it joined';
COMMENT ON COLUMN dmarc_store.evidence.domain IS 'policy domain';
COMMENT ON COLUMN dmarc_store.evidence.hash IS 'over all columns that follow';
COMMENT ON COLUMN dmarc_store.evidence.header_from IS 'domain of the From: header';
COMMENT ON COLUMN dmarc_store.evidence.envelope_from IS 'domain of MAIL FROM; empty for the null reverse-path';
COMMENT ON COLUMN dmarc_store.evidence.envelope_to IS 'domain of the recipient';
COMMENT ON COLUMN dmarc_store.evidence.disposition IS 'none, pass, quarantine, reject; NULL when the word is unknown';
COMMENT ON COLUMN dmarc_store.evidence.dkim_verdict IS 'the reporters verdict: pass or fail';
COMMENT ON COLUMN dmarc_store.evidence.spf_verdict IS 'the reporters verdict: pass or fail';
COMMENT ON COLUMN dmarc_store.evidence.verdict_computed IS 'the report had no verdicts; worked out from its results';
COMMENT ON COLUMN dmarc_store.evidence.dkim_aligned IS 'worked out again: a DKIM signature passed and aligns';
COMMENT ON COLUMN dmarc_store.evidence.spf_aligned IS 'worked out again: SPF passed for MAIL FROM and aligns';
COMMENT ON COLUMN dmarc_store.evidence.dkim_aligned_domain IS 'd= of the signature that aligned';
COMMENT ON COLUMN dmarc_store.evidence.dkim_aligned_selector IS 'its selector';
COMMENT ON COLUMN dmarc_store.evidence.spf_aligned_domain IS 'MAIL FROM domain that aligned';
COMMENT ON COLUMN dmarc_store.evidence.disagree IS 'the reporters verdicts differ from what its results say';
COMMENT ON COLUMN dmarc_store.evidence.dkim_domains IS 'd= of each DKIM result';
COMMENT ON COLUMN dmarc_store.evidence.dkim_selectors IS 'selector of each DKIM result';
COMMENT ON COLUMN dmarc_store.evidence.dkim_results IS 'each DKIM result';
COMMENT ON COLUMN dmarc_store.evidence.dkim_raw IS 'the word as sent, where it differs';
COMMENT ON COLUMN dmarc_store.evidence.dkim_human IS 'the reporters remark';
COMMENT ON COLUMN dmarc_store.evidence.spf_domains IS 'domain of each SPF result';
COMMENT ON COLUMN dmarc_store.evidence.spf_scopes IS 'mfrom or helo of each SPF result';
COMMENT ON COLUMN dmarc_store.evidence.spf_results IS 'each SPF result';
COMMENT ON COLUMN dmarc_store.evidence.spf_raw IS 'the word as sent, where it differs';
COMMENT ON COLUMN dmarc_store.evidence.spf_human IS 'the reporters remark';
COMMENT ON COLUMN dmarc_store.evidence.reason_types IS 'type of each override reason';
COMMENT ON COLUMN dmarc_store.evidence.reason_raw IS 'the type as sent, where it differs';
COMMENT ON COLUMN dmarc_store.evidence.reason_comments IS 'the reporters remark';
COMMENT ON COLUMN dmarc_store.evidence.extensions IS 'extensions of the record as XML text';
COMMENT ON COLUMN dmarc_store.evidence.raw IS 'element=word for each word that had to be normalised';

COMMENT ON COLUMN dmarc_store.report.dkim_aligned_count IS 'messages of it with an aligned DKIM signature, as worked out again';
COMMENT ON COLUMN dmarc_store.report.spf_aligned_count IS 'messages of it with aligned SPF, as worked out again';
COMMENT ON COLUMN dmarc_store.report.disagree_count IS 'messages of it for which the reporters verdict differs from its own results';

COMMENT ON COLUMN dmarc_store.evidence.profile IS 'hash of dmarc_store.profile, together with domain';

COMMENT ON TABLE dmarc_store.profile IS 'What of a message authenticated, and whose it is by that: all that class and name depend on, once for each policy domain';
COMMENT ON COLUMN dmarc_store.profile.domain IS 'policy domain';
COMMENT ON COLUMN dmarc_store.profile.hash IS 'over the columns up to reason_types';
COMMENT ON COLUMN dmarc_store.profile.header_from IS 'domain of the From: header';
COMMENT ON COLUMN dmarc_store.profile.dkim_aligned IS 'a DKIM signature passed and aligns';
COMMENT ON COLUMN dmarc_store.profile.spf_aligned IS 'SPF passed for MAIL FROM and aligns';
COMMENT ON COLUMN dmarc_store.profile.dkim_aligned_domain IS 'd= of the signature that aligned';
COMMENT ON COLUMN dmarc_store.profile.dkim_aligned_selector IS 'its selector';
COMMENT ON COLUMN dmarc_store.profile.spf_aligned_domain IS 'MAIL FROM domain that aligned';
COMMENT ON COLUMN dmarc_store.profile.dkim_domains IS 'd= of the signatures that passed, by name';
COMMENT ON COLUMN dmarc_store.profile.dkim_selectors IS 'their selectors, of signatures of the domain itself';
COMMENT ON COLUMN dmarc_store.profile.spf_domains IS 'domains for which SPF passed, by name';
COMMENT ON COLUMN dmarc_store.profile.spf_scopes IS 'mfrom or helo of each';
COMMENT ON COLUMN dmarc_store.profile.reason_types IS 'types of the override reasons, each once';
COMMENT ON COLUMN dmarc_store.profile.class IS 'authorised, misconfigured, forwarded, unknown';
COMMENT ON COLUMN dmarc_store.profile.rule IS 'the rule that decided the class, see dmarc.class_rule';
COMMENT ON COLUMN dmarc_store.profile.sender_key IS 'key in dmarc.sender; NULL when the catalogue does not know it';
COMMENT ON COLUMN dmarc_store.profile.sender IS 'name for people: of the catalogue, or own mail, or the plain domain with the mark (not known)';
COMMENT ON COLUMN dmarc_store.profile.known IS 'the name is from the catalogue';
COMMENT ON COLUMN dmarc_store.profile.kind IS 'kind of the sender, see dmarc.sender';
COMMENT ON COLUMN dmarc_store.profile.confidence IS 'high: DKIM d=, or the domain''s own alignment; medium: selector or MAIL FROM; low: HELO; none: nothing passed';
COMMENT ON COLUMN dmarc_store.profile.evidence_said IS 'what the name and class rest on, in words';
COMMENT ON COLUMN dmarc_store.profile.advice IS 'for misconfigured senders: what makes them authenticate as the domain';
COMMENT ON COLUMN dmarc_store.profile.own_signed IS 'nothing aligns, and a signature of the domain itself is there, whatever became of it; over this, too, is the hash';
COMMENT ON COLUMN dmarc_store.sender_rule.kind IS 'dkim_domain: d= of a signature; dkim_selector: selector of a signature of the domain itself; spf_domain: MAIL FROM or HELO domain; spf_host: first label of a MAIL FROM host below the domain itself; ptr_domain: reverse name of the address';
COMMENT ON COLUMN dmarc_store.sender_rule.pattern IS 'domains: the name itself and all below it, the longest wins; selectors and hosts: the whole word, where # stands for a run of digits';

COMMENT ON TABLE dmarc_store.profile_day IS 'Messages for each profile and UTC day, to be added up: there may be several rows, and some that take away';
COMMENT ON COLUMN dmarc_store.profile_day.domain IS 'policy domain';
COMMENT ON COLUMN dmarc_store.profile_day.day IS 'UTC day on which the period of the reports begins';
COMMENT ON COLUMN dmarc_store.profile_day.profile IS 'hash of dmarc_store.profile, together with domain';
COMMENT ON COLUMN dmarc_store.profile_day.doubtful IS 'by reports that nobody vouches for';
COMMENT ON COLUMN dmarc_store.profile_day.records IS 'records';
COMMENT ON COLUMN dmarc_store.profile_day.messages IS 'messages';
COMMENT ON COLUMN dmarc_store.profile_day.quarantined IS 'messages of these that the reporter put into quarantine';
COMMENT ON COLUMN dmarc_store.profile_day.rejected IS 'messages of these that the reporter rejected';

COMMENT ON TABLE dmarc_store.profile_source IS 'Which address sent a profile on which days of a month';
COMMENT ON COLUMN dmarc_store.profile_source.domain IS 'policy domain';
COMMENT ON COLUMN dmarc_store.profile_source.day IS 'first day of the month';
COMMENT ON COLUMN dmarc_store.profile_source.source_ip IS 'address that sent the messages';
COMMENT ON COLUMN dmarc_store.profile_source.profile IS 'hash of dmarc_store.profile, together with domain';
COMMENT ON COLUMN dmarc_store.profile_source.doubtful IS 'by reports that nobody vouches for';
COMMENT ON COLUMN dmarc_store.profile_source.days IS 'the days of the month: bit 0 stands for the first';

COMMENT ON TABLE dmarc_store.unfolded IS 'Reports whose addresses are not in profile_source yet: "whosends maintain" puts them there';
COMMENT ON COLUMN dmarc_store.unfolded.domain IS 'policy domain';
COMMENT ON COLUMN dmarc_store.unfolded.day IS 'UTC day on which the period begins';
COMMENT ON COLUMN dmarc_store.unfolded.report IS 'id of dmarc.report';
COMMENT ON COLUMN dmarc_store.unfolded.records IS 'how many records it has';
COMMENT ON COLUMN dmarc_store.unfolded.doubtful IS 'a report that nobody vouches for';

COMMENT ON TABLE dmarc_store.domain_day IS 'Messages for each policy domain and UTC day, by class';
COMMENT ON COLUMN dmarc_store.domain_day.domain IS 'policy domain';
COMMENT ON COLUMN dmarc_store.domain_day.day IS 'UTC day on which the period of the reports begins';
COMMENT ON COLUMN dmarc_store.domain_day.doubtful IS 'by reports that nobody vouches for';
COMMENT ON COLUMN dmarc_store.domain_day.reports IS 'reports';
COMMENT ON COLUMN dmarc_store.domain_day.records IS 'records';
COMMENT ON COLUMN dmarc_store.domain_day.messages IS 'messages';
COMMENT ON COLUMN dmarc_store.domain_day.passed IS 'messages that pass DMARC, by an aligned DKIM signature or aligned SPF';
COMMENT ON COLUMN dmarc_store.domain_day.authorised IS 'messages of this class';
COMMENT ON COLUMN dmarc_store.domain_day.misconfigured IS 'messages of this class';
COMMENT ON COLUMN dmarc_store.domain_day.forwarded IS 'messages of this class';
COMMENT ON COLUMN dmarc_store.domain_day.unknown IS 'messages of this class';
COMMENT ON COLUMN dmarc_store.domain_day.dkim_aligned IS 'messages with an aligned DKIM signature';
COMMENT ON COLUMN dmarc_store.domain_day.spf_aligned IS 'messages with aligned SPF';
COMMENT ON COLUMN dmarc_store.domain_day.quarantined IS 'messages that the reporter put into quarantine';
COMMENT ON COLUMN dmarc_store.domain_day.rejected IS 'messages that the reporter rejected';

COMMENT ON TABLE dmarc_store.domain_grant IS 'Which roles may read about which policy domains, beside those that may read everything';
COMMENT ON COLUMN dmarc_store.domain_grant.domain IS 'policy domain';
COMMENT ON COLUMN dmarc_store.domain_grant.role IS 'role of the database; its members may, too';
COMMENT ON COLUMN dmarc_store.domain_grant.granted_at IS 'since when';

COMMENT ON TABLE dmarc_store.group_grant IS 'Which roles may read about the policy domains of which groups: about those that are in the group when they ask';
COMMENT ON COLUMN dmarc_store.group_grant.name IS 'name of the group, which may have no domain at the time';
COMMENT ON COLUMN dmarc_store.group_grant.role IS 'role of the database; its members may, too';
COMMENT ON COLUMN dmarc_store.group_grant.granted_at IS 'since when';

COMMENT ON TABLE dmarc_store.pruning IS 'Up to which days was pruned: "whosends prune" took all reports before the latest of these away';
COMMENT ON COLUMN dmarc_store.pruning.before IS 'first day of the month after one that was taken away';
COMMENT ON COLUMN dmarc_store.pruning.pruned_at IS 'when';

COMMENT ON TABLE dmarc_store.observation IS 'One row for each record of a report: address, count and which evidence. dmarc.record shows it joined';
COMMENT ON COLUMN dmarc_store.observation.domain IS 'policy domain';
COMMENT ON COLUMN dmarc_store.observation.day IS 'UTC day on which the period of the report begins';
COMMENT ON COLUMN dmarc_store.observation.report IS 'id of dmarc.report';
COMMENT ON COLUMN dmarc_store.observation.ordinal IS 'place in the report, from 1';
COMMENT ON COLUMN dmarc_store.observation.source_ip IS 'address that sent the messages; NULL when it cannot be read';
COMMENT ON COLUMN dmarc_store.observation.message_count IS 'messages';
COMMENT ON COLUMN dmarc_store.observation.evidence IS 'hash of dmarc.evidence, together with domain';
COMMENT ON COLUMN dmarc_store.observation.source_raw IS 'what stood in place of the address, when it could not be read';

COMMENT ON SCHEMA dmarc IS 'DMARC reports: who sends as one''s domains, and may they. Views and functions to be queried';
COMMENT ON SCHEMA dmarc_store IS 'The tables behind schema dmarc. They may change with any version';

COMMENT ON TABLE dmarc_store.approval IS 'What the owner of a domain said of its senders: one row for each that was approved or disowned';
COMMENT ON COLUMN dmarc_store.approval.domain IS 'policy domain';
COMMENT ON COLUMN dmarc_store.approval.sender IS 'key in dmarc.sender; or, of a sender that the catalogue does not know, the domain that passes, which stands for all below it';
COMMENT ON COLUMN dmarc_store.approval.approved IS 'true: it may send as the domain; false: it may not (disowned)';
COMMENT ON COLUMN dmarc_store.approval.note IS 'why, in the words of who decided';
COMMENT ON COLUMN dmarc_store.approval.decided_at IS 'when that was decided last';
COMMENT ON COLUMN dmarc_store.approval.decided_by IS 'database role that decided';

COMMENT ON TABLE dmarc_store.domain_group IS 'Policy domains that are looked at together, those of a customer, say; a domain may be in several groups';
COMMENT ON COLUMN dmarc_store.domain_group.domain IS 'policy domain';
COMMENT ON COLUMN dmarc_store.domain_group.name IS 'name of the group';
