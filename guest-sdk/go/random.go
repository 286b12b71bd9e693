package reprieve

import (
	"math"
	"math/bits"
	"time"
)

// Random draws numbers that a replay draws again: SplitMix64. Not for secrets.
// It is a [math/rand/v2.Source].
type Random struct{ state uint64 }

// NewRandom starts from a seed: give it the experiment's.
func NewRandom(seed uint64) *Random {
	return &Random{state: seed}
}

// Uint64 draws 64 random bits.
func (r *Random) Uint64() uint64 {
	r.state += 0x9e3779b97f4a7c15
	mixed := r.state
	mixed = (mixed ^ mixed>>30) * 0xbf58476d1ce4e5b9
	mixed = (mixed ^ mixed>>27) * 0x94d049bb133111eb
	return mixed ^ mixed>>31
}

// UpTo draws a number from 0 to most, both included.
func (r *Random) UpTo(most uint64) uint64 {
	drawn := r.Uint64()
	if most == math.MaxUint64 {
		return drawn
	}
	high, _ := bits.Mul64(drawn, most+1)
	return high
}

// Between draws a span of time between these two, both included; low where high is less.
func (r *Random) Between(low, high time.Duration) time.Duration {
	return low + time.Duration(r.UpTo(uint64(max(0, high-low))))
}
