package main

import (
	"reflect"
	"testing"

	"reprieve"
)

func TestTheThirdNetworkFailureIsTheLast(t *testing.T) {
	network := reprieve.Failed(reprieve.ClassNetwork, "connection reset")
	attempts := reprieve.Attempts{network, network, network}
	decision := TwoStrikes{}.Decide(reprieve.Experiment{}, attempts, reprieve.Progress{})
	if decision != (reprieve.GiveUp{Reason: "connection reset"}) {
		t.Errorf("decided %#v", decision)
	}
}

func TestHalfTheBatchNeedsLess(t *testing.T) {
	experiment := reprieve.Experiment{
		Parameters: map[string]string{"batch": "8"},
		Adjustable: []string{"batch"},
	}
	attempts := reprieve.Attempts{reprieve.Failed(reprieve.ClassDeviceMemory, "out of memory")}
	decision := TwoStrikes{}.Decide(experiment, attempts, reprieve.Progress{})
	half := reprieve.Retry{Reason: "half the batch needs less", Overrides: map[string]string{"batch": "4"}}
	if !reflect.DeepEqual(decision, half) {
		t.Errorf("decided %#v", decision)
	}
}
