// The standard policy's behaviour, in Go: it must decide as the built-in one does.
package main

import (
	"fmt"
	"slices"
	"time"

	"reprieve"
	"reprieve/cleanup"
	"reprieve/policy"
)

// Standard retries failures that can pass, with growing waits, and gives up on the rest.
type Standard struct {
	MaxRetries              uint32                  `json:"max_retries"`
	DelaySeconds            float64                 `json:"delay_seconds"`
	BackoffFactor           float64                 `json:"backoff_factor"`
	MaxDelaySeconds         float64                 `json:"max_delay_seconds"`
	Jitter                  reprieve.Jitter         `json:"jitter"`
	Retry                   []reprieve.FailureClass `json:"retry"`
	RetryOnce               []reprieve.FailureClass `json:"retry_once"`
	RetriesInStudy          *uint32                 `json:"retries_in_study"`
	StopAfterFailuresInARow *uint32                 `json:"stop_after_failures_in_a_row" min:"1"`
	LeftoversGraceSeconds   float64                 `json:"leftovers_grace_seconds"`
	RemoveSharedMemory      bool                    `json:"remove_shared_memory"`
	MemoryToleranceMib      uint32                  `json:"memory_tolerance_mib"`
	MemoryTimeoutSeconds    float64                 `json:"memory_timeout_seconds"`
	CoolDownToCelsius       *uint32                 `json:"cool_down_to_celsius"`
	CoolDownTimeoutSeconds  float64                 `json:"cool_down_timeout_seconds"`
}

func defaults() *Standard {
	return &Standard{
		MaxRetries:      3,
		DelaySeconds:    1,
		BackoffFactor:   2,
		MaxDelaySeconds: 3600,
		Jitter:          reprieve.NoJitter,
		Retry: []reprieve.FailureClass{
			reprieve.ClassNetwork, reprieve.ClassRateLimited, reprieve.ClassDriverTransient,
			reprieve.ClassCommunication, reprieve.ClassDeviceOccupied,
		},
		RetryOnce: []reprieve.FailureClass{
			reprieve.ClassHang, reprieve.ClassCrash, reprieve.ClassDeviceProgram, reprieve.ClassUnknown,
		},
		LeftoversGraceSeconds:  10,
		RemoveSharedMemory:     true,
		MemoryToleranceMib:     64,
		MemoryTimeoutSeconds:   120,
		CoolDownTimeoutSeconds: 600,
	}
}

// Decide judges the newest attempt.
func (s *Standard) Decide(experiment reprieve.Experiment, attempts reprieve.Attempts, progress reprieve.Progress) reprieve.Decision {
	failure := attempts.Last().Failure
	if failure == nil {
		return reprieve.Accept{}
	}
	worth, why := s.worthRetrying(attempts, *failure, progress)
	if worth {
		return reprieve.Retry{After: s.delay(experiment, attempts, *failure), Reason: why}
	}
	inARow := uint64(progress.FailedInARow) + 1
	most := s.StopAfterFailuresInARow
	if most != nil && inARow >= uint64(*most) && attempts.Last().Stage != reprieve.StageFinish {
		why = fmt.Sprintf("experiments that failed in a row: %d; the last: %s", inARow, why)
		return reprieve.StopStudy{Reason: why}
	}
	return reprieve.GiveUp{Reason: why}
}

// worthRetrying is whether another attempt is worth it, and why.
func (s *Standard) worthRetrying(attempts reprieve.Attempts, failure reprieve.Failure, progress reprieve.Progress) (bool, string) {
	can, why, once := s.canPass(attempts, failure)
	most := s.RetriesInStudy
	switch {
	case !can:
		return false, why
	case uint64(attempts.Retries()) >= uint64(s.MaxRetries):
		return false, tell(fmt.Sprintf("gave up after %s: %s failure", count(attempts), failure.Class), failure.Evidence)
	case most != nil && progress.Retries >= *most:
		return false, tell(fmt.Sprintf("the study's %d retries are used up: %s failure", *most, failure.Class), failure.Evidence)
	case once:
		return true, why
	default:
		return true, fmt.Sprintf("%s; retry %d of %d", why, len(attempts), s.MaxRetries)
	}
}

// canPass is whether the failure can pass, why, and whether it is retried only once.
func (s *Standard) canPass(attempts reprieve.Attempts, failure reprieve.Failure) (can bool, why string, once bool) {
	class, report := failure.Class, attempts.Last().SelfReport
	switch {
	case report != nil && report.Retryable != nil:
		verdict := map[bool]string{true: "worth retrying", false: "final"}[*report.Retryable]
		said := tell(fmt.Sprintf("the experiment called its %s failure %s", class, verdict), said(report, failure))
		return *report.Retryable, said, false
	case slices.Contains(s.Retry, class):
		return true, tell(fmt.Sprintf("%s failure can pass", class), failure.Evidence), false
	case !slices.Contains(s.RetryOnce, class):
		return false, tell(fmt.Sprintf("%s failures do not pass by themselves", class), failure.Evidence), false
	case attempts.FailuresOf(class) == 1:
		return true, tell(fmt.Sprintf("%s failures are retried once", class), failure.Evidence), true
	default:
		return false, tell(fmt.Sprintf("gave up after %s: %s failure again", count(attempts), class), failure.Evidence), false
	}
}

// delay is the backoff's wait, or what a service asked for where that is more, within the cap.
func (s *Standard) delay(experiment reprieve.Experiment, attempts reprieve.Attempts, failure reprieve.Failure) time.Duration {
	most := reprieve.Seconds(s.MaxDelaySeconds)
	waits := reprieve.Exponential(reprieve.Seconds(s.DelaySeconds), s.BackoffFactor)
	wait := waits.Capped(most).Jittered(s.Jitter, experiment.Seed).WaitAfter(attempts)
	if asked, found := attempts.Last().AskedToWait(); found && failure.Class == reprieve.ClassRateLimited {
		return min(most, max(wait, asked))
	}
	return wait
}

// Plan cleans up after an attempt.
func (s *Standard) Plan(_ reprieve.Experiment, after *reprieve.Attempt) []cleanup.Step {
	if after == nil {
		return nil
	}
	steps := []cleanup.Step{{Action: cleanup.EndLeftovers{Grace: reprieve.Seconds(s.LeftoversGraceSeconds)}}}
	if s.RemoveSharedMemory {
		steps = append(steps, cleanup.Step{Action: cleanup.RemoveSharedMemory{}})
	}
	memory := cleanup.AwaitMemory{
		Tolerance: uint64(s.MemoryToleranceMib) << 20,
		Timeout:   reprieve.Seconds(s.MemoryTimeoutSeconds),
	}
	steps = append(steps,
		cleanup.Step{Action: cleanup.ReleaseCachedMemory{}},
		cleanup.Step{Action: memory, IfItFails: cleanup.QuarantineDevice})
	if s.CoolDownToCelsius != nil {
		timeout := reprieve.Seconds(s.CoolDownTimeoutSeconds)
		cool := cleanup.AwaitTemperature{AtMost: *s.CoolDownToCelsius, Timeout: timeout}
		steps = append(steps, cleanup.Step{Action: cool})
	}
	return steps
}

// tell puts the evidence after what is said of it, where there is evidence.
func tell(what, evidence string) string {
	if evidence == "" {
		return what
	}
	return what + ": " + evidence
}

// said is the experiment's own words for its failure, or else the host's.
func said(report *reprieve.SelfReport, failure reprieve.Failure) string {
	for _, words := range []string{report.Message, report.Kind} {
		if words != "" {
			return words
		}
	}
	return failure.Evidence
}

func count(attempts reprieve.Attempts) string {
	if len(attempts) == 1 {
		return "1 attempt"
	}
	return fmt.Sprintf("%d attempts", len(attempts))
}

func init() {
	policy.Export(reprieve.Info{
		Name:    "standard",
		Version: "0.1.0",
		Summary: "Retries failures that can pass, with growing waits; gives up on the rest",
	}, defaults())
}

func main() {}
