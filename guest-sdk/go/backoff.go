package reprieve

import (
	"fmt"
	"iter"
	"math"
	"math/bits"
	"slices"
	"time"
)

// Jitter is how chance spreads the waits (Marc Brooker, "Exponential Backoff
// And Jitter", 2015); its text is the name in settings.
type Jitter string

const (
	// NoJitter is exactly the backoff's wait.
	NoJitter Jitter = "none"
	// FullJitter is anything from nothing to the backoff's wait.
	FullJitter Jitter = "full"
	// EqualJitter is half the backoff's wait, and anything from nothing to the other half.
	EqualJitter Jitter = "equal"
	// DecorrelatedJitter is anything from the first wait to three times the previous one.
	DecorrelatedJitter Jitter = "decorrelated"
)

// UnmarshalText reads a jitter in settings, and refuses what is none.
func (j *Jitter) UnmarshalText(text []byte) error {
	*j = Jitter(text)
	if !slices.Contains([]Jitter{NoJitter, FullJitter, EqualJitter, DecorrelatedJitter}, *j) {
		return fmt.Errorf("`%s` is no jitter, expected `none`, `full`, `equal` or `decorrelated`", text)
	}
	return nil
}

// Backoff is how long to wait before the next attempt. Waits are values here;
// nothing sleeps. The host's scheduler does the waiting, and the devices are
// free meanwhile.
type Backoff struct {
	first, limit uint64
	factor       float64
	jitter       Jitter
	seed         uint64
}

// Constant is waits that are all alike.
func Constant(wait time.Duration) Backoff {
	return Exponential(wait, 1)
}

// Exponential is waits that grow by a factor: first, first*factor, first*factor²...
// A factor that is negative or not a number counts as 1.
func Exponential(first time.Duration, factor float64) Backoff {
	if !(factor >= 0) {
		factor = 1
	}
	return Backoff{first: nanoseconds(first), limit: math.MaxUint64, factor: factor, jitter: NoJitter}
}

// Capped lets no wait be longer than this.
func (b Backoff) Capped(most time.Duration) Backoff {
	b.limit = nanoseconds(most)
	return b
}

// Jittered spreads the waits by chance, drawn from a seed: give it the experiment's.
func (b Backoff) Jittered(jitter Jitter, seed uint64) Backoff {
	b.jitter, b.seed = jitter, seed
	return b
}

// WaitAfter is the wait that follows these attempts.
//
// [DecorrelatedJitter] builds on the wait before, and takes the one that really
// was: that of the last attempt.
func (b Backoff) WaitAfter(attempts Attempts) time.Duration {
	steps := b.steps()
	if b.jitter == DecorrelatedJitter && attempts.Retries() > 0 {
		steps.previous = nanoseconds(attempts.Last().WaitedFor)
		return steps.next()
	}
	for range attempts.Retries() {
		steps.next()
	}
	return steps.next()
}

// Waits is the endless sequence of waits. The first is the wait after the first attempt.
func (b Backoff) Waits() iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		for steps := b.steps(); yield(steps.next()); {
		}
	}
}

// steps is a place in the sequence of waits.
type steps struct {
	Backoff
	random *Random
	// grown is the next wait before cap and jitter, in nanoseconds.
	grown float64
	// previous is the wait before the next one; before the first, the first.
	previous uint64
}

func (b Backoff) steps() steps {
	return steps{Backoff: b, random: NewRandom(b.seed), grown: float64(b.first), previous: b.first}
}

func (s *steps) next() time.Duration {
	plain := min(saturated(s.grown+0.5), s.limit)
	s.grown *= s.factor
	wait := plain
	switch s.jitter {
	case FullJitter:
		wait = s.random.UpTo(plain)
	case EqualJitter:
		wait = plain - plain/2 + s.random.UpTo(plain/2)
	case DecorrelatedJitter:
		over, spread := bits.Mul64(s.previous, 3)
		if over > 0 {
			spread = math.MaxUint64
		}
		drawn, carry := bits.Add64(s.first, s.random.UpTo(spread-min(spread, s.first)), 0)
		if carry > 0 {
			drawn = math.MaxUint64
		}
		wait = min(drawn, s.limit)
	}
	s.previous = wait
	return time.Duration(min(wait, math.MaxInt64))
}

// saturated is the whole number below, 0 for what is negative or not a number.
func saturated(value float64) uint64 {
	switch {
	case !(value > 0):
		return 0
	case value >= 1<<64:
		return math.MaxUint64
	default:
		return uint64(value)
	}
}
