package dev.lockstep.federated;

import dev.lockstep.comm.Communicator;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.Normalizer;
import dev.lockstep.data.Split;
import dev.lockstep.federated.client.ClientTrainer;
import dev.lockstep.federated.client.PoisonedDataset;
import dev.lockstep.federated.config.AttackConfig;
import dev.lockstep.federated.config.FederationPlan;
import dev.lockstep.train.engine.BatchReader;
import dev.lockstep.train.engine.Evaluator;
import dev.lockstep.train.engine.Evaluator.Evaluation;
import dev.lockstep.train.engine.Loss;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Scores the server's model on the held-out samples. Not thread-safe. */
final class ServerScores {
  private static final int SAMPLES_AT_ONCE = 256;

  private final FederationPlan plan;
  private final Dataset dataset;
  private final Split split;
  private final Communicator communicator;
  private final ClientTrainer trainer;
  private final Normalizer.Pair normalizers;
  private final Loss loss;
  private final @Nullable PoisonedDataset backdoor;

  ServerScores(
      FederationPlan plan,
      Dataset dataset,
      Split split,
      int classes,
      Communicator communicator,
      ClientTrainer trainer,
      Normalizer.Pair normalizers) {
    this.plan = plan;
    this.dataset = dataset;
    this.split = split;
    this.communicator = communicator;
    this.trainer = trainer;
    this.normalizers = normalizers;
    loss = new Loss(plan.federation().loss(), 1);
    AttackConfig attack = plan.federation().attack();
    backdoor =
        attack != null && attack.type() == AttackConfig.Type.BACKDOOR
            ? new PoisonedDataset(dataset, attack, classes)
            : null;
  }

  /** Collective. */
  Evaluation evaluate(double[] model) {
    return evaluate(dataset, split.validation(), model);
  }

  /** The share of samples of other classes that the trigger turns into its class; collective. */
  Optional<Double> backdoorSuccess(double[] model) {
    if (backdoor == null) {
      return Optional.empty();
    }
    long[] others = backdoor.samplesOfOtherClasses(split.validation());
    var scores = evaluate(backdoor.triggered(), others, model).scores();
    return scores.accuracy().isPresent()
        ? Optional.of(scores.accuracy().getAsDouble())
        : Optional.empty();
  }

  private Evaluation evaluate(Dataset data, long[] samples, double[] model) {
    trainer.vector().write(model);
    int atOnce = Math.min(SAMPLES_AT_ONCE, Math.max(1, samples.length));
    try (BatchReader reader =
        new BatchReader(data, normalizers, loss.classifies(), trainer.type(), atOnce)) {
      return new Evaluator(
              trainer.compute(),
              loss,
              reader,
              atOnce,
              normalizers.targets(),
              data,
              samples,
              communicator)
          .evaluate();
    }
  }
}
