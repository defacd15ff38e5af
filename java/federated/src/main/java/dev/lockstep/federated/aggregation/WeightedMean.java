package dev.lockstep.federated.aggregation;

import dev.lockstep.comm.Communicator;
import dev.lockstep.federated.client.ClientUpdate;
import dev.lockstep.federated.client.ParameterVector;
import dev.lockstep.federated.config.AggregationConfig.Rule;
import dev.lockstep.federated.config.Algorithm;
import dev.lockstep.federated.config.FederationConfig;
import java.util.Arrays;
import java.util.Optional;

/** The mean by weights, in fixed point; of changes that are shortened where there is a bound. */
public final class WeightedMean implements Aggregation {
  private final FederationConfig config;
  private final int length;
  private final Communicator communicator;
  private FixedPointSum sum;
  private double mostWeight;

  public WeightedMean(FederationConfig config, int length, Communicator communicator) {
    this.config = config;
    this.length = length;
    this.communicator = communicator;
    sum = new FixedPointSum(length);
  }

  @Override
  public void begin(double[] weights) {
    mostWeight = Arrays.stream(weights).sum();
    sum = new FixedPointSum(length);
  }

  @Override
  public void add(int number, double weight, double effectiveSteps, ClientUpdate update) {
    double share = weight / mostWeight / effectiveSteps;
    sum.add(share * shortening(update.change()), update.change());
  }

  /** Of a change that norm_bound shortens. */
  private double shortening(double[] change) {
    if (config.aggregation().rule() != Rule.NORM_BOUND) {
      return 1;
    }
    double radius = config.aggregation().radius();
    return Math.min(1, radius / Math.max(ParameterVector.norm(change), Double.MIN_NORMAL));
  }

  /** Divides by what the accepted clients weigh; FedBuff's paper divides by their number. */
  @Override
  public Optional<double[]> finish(Answers answers, int round) {
    sum.reduce(communicator);
    if (answers.accepted() == 0) {
      return Optional.empty();
    }
    double all = config.algorithm() == Algorithm.FEDBUFF ? answers.accepted() : answers.weight();
    return Optional.of(sum.times(mostWeight / all * answers.meanEffectiveSteps()));
  }
}
