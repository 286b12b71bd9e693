package reprieve

import (
	"testing"
	"time"
)

func TestTheTextsThatServicesWriteAreUnderstood(t *testing.T) {
	for text, wait := range map[string]time.Duration{
		"429 Too Many Requests, retry after 30 seconds": 30 * time.Second,
		"Retry-After: 120":         2 * time.Minute,
		`{"retry_after": 1.5}`:     1500 * time.Millisecond,
		"Please try again in 20s.": 20 * time.Second,
		"try again in 1m30s":       90 * time.Second,
		"Retry in 1 hour":          time.Hour,
		"retry after 1.23456789 s": 1234 * time.Millisecond,
	} {
		attempt := Failed(ClassRateLimited, text)
		if read, found := attempt.AskedToWait(); !found || read != wait {
			t.Errorf("`%s` read as %s", text, read)
		}
	}
	for _, text := range []string{
		"", "retry after", "will not retry after 3 attempts", "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT",
	} {
		attempt := Failed(ClassRateLimited, text)
		if read, found := attempt.AskedToWait(); found {
			t.Errorf("`%s` read as %s", text, read)
		}
	}
}

func TestASpanBeyondCountingIsAVeryLongOne(t *testing.T) {
	attempt := Failed(ClassRateLimited, "retry after 99999999999999999999 hours")
	if read, found := attempt.AskedToWait(); !found || read < 1000*time.Hour {
		t.Errorf("read as %s", read)
	}
}
