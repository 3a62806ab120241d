-- What always holds of the database, whatever was killed, cut off or full: what "whosends fsck" proves. One row for each check
-- that finds something, with how often.
SELECT check_name, wrong FROM dmarc.fsck() WHERE wrong > 0
