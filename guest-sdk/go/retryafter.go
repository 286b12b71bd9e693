package reprieve

import (
	"math"
	"math/bits"
	"strings"
	"time"
)

// leads are what a span of time follows. A space stands for any of ` `, `-` and `_`.
var leads = []string{"retry after", "try again in", "try again after", "retry in"}

// units are what may follow a number, in milliseconds. A number alone is
// seconds, as in the header Retry-After.
var units = map[string]uint64{
	"ms": 1, "millisecond": 1, "milliseconds": 1,
	"": 1000, "s": 1000, "sec": 1000, "secs": 1000, "second": 1000, "seconds": 1000,
	"m": 60_000, "min": 60_000, "mins": 60_000, "minute": 60_000, "minutes": 60_000,
	"h": 3_600_000, "hr": 3_600_000, "hrs": 3_600_000, "hour": 3_600_000, "hours": 3_600_000,
}

// AskedToWait is how long a remote service asked to wait, if the evidence of
// the failure or the experiment's own report says so: "retry after 30 seconds",
// "Retry-After: 120", "try again in 1m30s".
func (a *Attempt) AskedToWait() (time.Duration, bool) {
	if a.SelfReport != nil {
		if wait, found := asked(a.SelfReport.Message); found {
			return wait, true
		}
	}
	if a.Failure != nil {
		return asked(a.Failure.Evidence)
	}
	return 0, false
}

func asked(text string) (time.Duration, bool) {
	text = strings.ToLower(text)
	spaced := strings.NewReplacer("-", " ", "_", " ").Replace(text)
	for start := range text {
		for _, lead := range leads {
			if strings.HasPrefix(spaced[start:], lead) {
				if wait, found := span(text[start+len(lead):]); found {
					return wait, true
				}
			}
		}
	}
	return 0, false
}

// span reads `30`, `: 30`, `2.5 seconds`, `1m30s` at the start of the text. Any
// other word after a number means that it is no span of time.
func span(text string) (total time.Duration, found bool) {
	text = strings.TrimLeft(text, " :=\"'")
	for text != "" && '0' <= text[0] && text[0] <= '9' {
		number, rest := split(text, "0123456789.")
		unit, rest := split(strings.TrimLeft(rest, " "), "abcdefghijklmnopqrstuvwxyz")
		ms, known := units[unit]
		if !known {
			return 0, false
		}
		over, product := bits.Mul64(thousandths(number), ms)
		if over > 0 {
			product = math.MaxUint64
		}
		total = added(total, Milliseconds(product/1000))
		text, found = rest, true
	}
	return total, found
}

// split cuts a text after the letters that it begins with.
func split(text, letters string) (within, rest string) {
	rest = strings.TrimLeft(text, letters)
	return text[:len(text)-len(rest)], rest
}

// thousandths reads `12.34` as 12340: what a fraction has beyond three digits is cut.
func thousandths(number string) uint64 {
	whole, fraction, _ := strings.Cut(number, ".")
	fraction, _, _ = strings.Cut(fraction, ".")
	read := uint64(0)
	for _, digit := range whole + (fraction + "000")[:3] {
		if read > (math.MaxUint64-9)/10 {
			return math.MaxUint64
		}
		read = read*10 + uint64(digit-'0')
	}
	return read
}
