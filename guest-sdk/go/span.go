package reprieve

import (
	"fmt"
	"math"
	"time"
)

// Seconds is a setting as a span of time: 292 years, the longest there is,
// where it is longer. It panics where the setting is negative or not a number,
// which [Configure] refuses.
func Seconds(setting float64) time.Duration {
	if !(setting >= 0) {
		panic(fmt.Sprintf("`%v` s is no span of time, expected 0 or more", setting))
	}
	whole, fraction := math.Modf(setting)
	if whole >= float64(math.MaxInt64/time.Second) {
		return math.MaxInt64
	}
	return time.Duration(whole)*time.Second + time.Duration(math.RoundToEven(fraction*1e9))
}

// Milliseconds is a count of the contract's as a span of time: 292 years where
// it is longer.
func Milliseconds(count uint64) time.Duration {
	if count > uint64(math.MaxInt64/time.Millisecond) {
		return math.MaxInt64
	}
	return time.Duration(count) * time.Millisecond
}

// nanoseconds counts a span. The longest one stands for any that is longer.
func nanoseconds(span time.Duration) uint64 {
	if span == math.MaxInt64 {
		return math.MaxUint64
	}
	if span < 0 {
		panic(fmt.Sprintf("`%s` is no span of time, expected 0 or more", span))
	}
	return uint64(span)
}

// added is the sum of two spans, or the longest one.
func added(one, other time.Duration) time.Duration {
	if one > math.MaxInt64-other {
		return math.MaxInt64
	}
	return one + other
}
