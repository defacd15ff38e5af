package dev.lockstep.federated.aggregation;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.federated.client.ClientUpdate;
import java.util.List;
import java.util.stream.IntStream;

/** What is known of the clients' changes besides the changes, on all ranks. Not thread-safe. */
public final class Answers {
  private static final int ACCEPTED = 0;
  private static final int SAMPLES = 1;
  private static final int LOSS = 2;
  private static final int WEIGHT = 3;
  private static final int EFFECTIVE_STEPS = 4;
  private static final int ANSWERED = 5;
  private static final int FIELDS = 6;

  private final Communicator communicator;
  private final int count;

  /** FIELDS of each; zero where another rank trains the client. */
  private double[] fields;

  /**
   * Before anybody has answered.
   *
   * @param count how many may, at most
   */
  public Answers(int count, Communicator communicator) {
    this.communicator = communicator;
    this.count = count;
    fields = new double[count * FIELDS];
  }

  /** A client of this rank has answered. */
  public void put(int number, ClientUpdate update, double weight, double effectiveSteps) {
    int at = number * FIELDS;
    fields[at + ANSWERED] = 1;
    if (update.finite()) {
      fields[at + ACCEPTED] = 1;
      fields[at + SAMPLES] = update.samples();
      fields[at + LOSS] = update.loss();
      fields[at + WEIGHT] = weight;
      fields[at + EFFECTIVE_STEPS] = effectiveSteps;
    }
  }

  /** All ranks learn of all; each number comes from one rank, so the sum has its bits. */
  public void exchange() {
    if (count > 0) {
      fields = communicator.allReduce(fields, ReduceOp.SUM);
    }
  }

  private double sum(int field, int factor) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += fields[i * FIELDS + field] * (factor < 0 ? 1 : fields[i * FIELDS + factor]);
    }
    return sum;
  }

  /** Answers that can be used. */
  public int accepted() {
    return (int) sum(ACCEPTED, -1);
  }

  public int answered() {
    return (int) sum(ANSWERED, -1);
  }

  public int rejected() {
    return answered() - accepted();
  }

  /** Of whom changes are used, ascending. */
  List<Integer> acceptedNumbers() {
    return IntStream.range(0, count)
        .filter(i -> fields[i * FIELDS + ACCEPTED] != 0)
        .boxed()
        .toList();
  }

  public long samples() {
    return (long) sum(SAMPLES, -1);
  }

  /** What the accepted clients weigh. */
  public double weight() {
    return sum(WEIGHT, -1);
  }

  /** FedNova's τ: the weighted mean of the clients' effective steps. */
  double meanEffectiveSteps() {
    return sum(EFFECTIVE_STEPS, WEIGHT) / weight();
  }

  public double meanLoss() {
    return sum(LOSS, SAMPLES) / sum(SAMPLES, -1);
  }

  public double lossSpread() {
    double mean = meanLoss();
    double squares = 0;
    for (int i = 0; i < count; i++) {
      double deviation = fields[i * FIELDS + LOSS] - mean;
      squares += fields[i * FIELDS + SAMPLES] * deviation * deviation;
    }
    return Math.sqrt(squares / sum(SAMPLES, -1));
  }
}
