package reprieve

// Attempts are all attempts at a stage so far, oldest first. The last one is
// judged, and there always is one.
type Attempts []Attempt

// Last is the attempt that is judged.
func (a Attempts) Last() *Attempt {
	return &a[len(a)-1]
}

// Retries is how many attempts were retries: all but the first.
func (a Attempts) Retries() int {
	return len(a) - 1
}

// FailuresOf is how many attempts failed in this way, the last one counted.
func (a Attempts) FailuresOf(class FailureClass) int {
	count := 0
	for _, attempt := range a {
		if attempt.Failure != nil && attempt.Failure.Class == class {
			count++
		}
	}
	return count
}

// Retryable is whether the experiment itself called its failure worth retrying;
// it did not say where said is false.
func (a *Attempt) Retryable() (retryable, said bool) {
	if a.SelfReport == nil || a.SelfReport.Retryable == nil {
		return false, false
	}
	return *a.SelfReport.Retryable, true
}

// Failed is an attempt that failed, for unit tests.
func Failed(class FailureClass, evidence string) Attempt {
	return Attempt{
		Number:  1,
		Stage:   StageMeasure,
		Ending:  Exited{Code: 1},
		Failure: &Failure{Class: class, Evidence: evidence},
	}
}

// Succeeded is an attempt that succeeded, for unit tests.
func Succeeded() Attempt {
	return Attempt{Number: 1, Stage: StageMeasure, Ending: Exited{}}
}
