import { Attempt, DecisionKind, Experiment, Progress } from "reprieve-assemblyscript/assembly";
import { TwoStrikes } from "./two-strikes";

export function theThirdNetworkFailureIsTheLast(): void {
  const network = Attempt.failed("network", "connection reset");
  const policy = new TwoStrikes();
  const second = policy.decide(new Experiment(), [network, network], new Progress());
  assert(second.kind == DecisionKind.Retry && second.afterMs <= 2000);
  const third = policy.decide(new Experiment(), [network, network, network], new Progress());
  assert(third.kind == DecisionKind.GiveUp && third.reason == "connection reset");
}
