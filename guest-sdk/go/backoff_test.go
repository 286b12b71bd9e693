package reprieve

import (
	"math"
	"slices"
	"testing"
	"time"
)

func first(count int, waits Backoff) []time.Duration {
	var taken []time.Duration
	for wait := range waits.Waits() {
		if taken = append(taken, wait); len(taken) == count {
			break
		}
	}
	return taken
}

func TestTheNumbersAreThoseOfThePublishedGenerator(t *testing.T) {
	random := NewRandom(1_234_567)
	for _, number := range []uint64{6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423} {
		if drawn := random.Uint64(); drawn != number {
			t.Errorf("drew %d instead of %d", drawn, number)
		}
	}
}

func TestDrawsStayWithinTheirBoundsAtTheExtremes(t *testing.T) {
	random := NewRandom(0)
	if drawn := random.UpTo(0); drawn != 0 {
		t.Errorf("drew %d up to 0", drawn)
	}
	random.UpTo(math.MaxUint64)
	if drawn := random.Between(time.Hour, time.Second); drawn != time.Hour {
		t.Errorf("drew %s", drawn)
	}
}

func TestWaitsGrowUpToTheirCap(t *testing.T) {
	waits := first(4, Exponential(time.Second, 2).Capped(5*time.Second))
	if !slices.Equal(waits, []time.Duration{1e9, 2e9, 4e9, 5e9}) {
		t.Errorf("waits %v", waits)
	}
}

func TestFactorsThatMakeNoSenseDoNoHarm(t *testing.T) {
	for _, one := range []struct {
		factor float64
		second time.Duration
	}{{math.NaN(), 2 * time.Second}, {-3, 2 * time.Second}, {0, 0}, {math.Inf(1), time.Minute}} {
		waits := first(2, Exponential(2*time.Second, one.factor).Capped(time.Minute))
		if !slices.Equal(waits, []time.Duration{2 * time.Second, one.second}) {
			t.Errorf("factor %v: waits %v", one.factor, waits)
		}
	}
}

func TestNoWaitIsLongerThanTheCapWhateverTheNumbers(t *testing.T) {
	spans := []time.Duration{0, 1, time.Second, math.MaxInt64}
	for _, jitter := range []Jitter{NoJitter, FullJitter, EqualJitter, DecorrelatedJitter} {
		for _, start := range spans {
			for _, most := range spans {
				waits := first(100, Exponential(start, 1.7).Capped(most).Jittered(jitter, 7))
				if longest := slices.Max(waits); longest > most || slices.Min(waits) < 0 {
					t.Errorf("%s from %s: waits %s, capped at %s", jitter, start, longest, most)
				}
			}
		}
	}
}

func TestDecorrelatedWaitsBuildOnTheWaitThatWas(t *testing.T) {
	attempts := Attempts{Failed(ClassNetwork, ""), Failed(ClassNetwork, "")}
	attempts[1].WaitedFor = time.Minute
	for seed := range uint64(1000) {
		wait := Constant(time.Second).Jittered(DecorrelatedJitter, seed).WaitAfter(attempts)
		if wait < time.Second || wait > 3*time.Minute {
			t.Errorf("seed %d: waits %s", seed, wait)
		}
	}
}

func TestSettingsAreSpans(t *testing.T) {
	for setting, span := range map[float64]time.Duration{
		0.3: 300 * time.Millisecond, 0: 0, 1e300: math.MaxInt64, math.Inf(1): math.MaxInt64,
	} {
		if read := Seconds(setting); read != span {
			t.Errorf("%v read as %s", setting, read)
		}
	}
}

func TestWhatIsNoSpanOfTimeIsToldByItsValue(t *testing.T) {
	for told, wrong := range map[string]func(){
		"`-1` s is no span of time, expected 0 or more":  func() { Seconds(-1) },
		"`NaN` s is no span of time, expected 0 or more": func() { Seconds(math.NaN()) },
		"`-5s` is no span of time, expected 0 or more":   func() { Constant(-5 * time.Second) },
	} {
		func() {
			defer func() {
				if panicked := recover(); panicked != told {
					t.Errorf("told %v", panicked)
				}
			}()
			wrong()
		}()
	}
}
