package dev.lockstep.federated;

import static java.util.Objects.requireNonNull;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.RankContext;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.Normalizer;
import dev.lockstep.data.Split;
import dev.lockstep.model.Model;
import dev.lockstep.torch.TorchLibraries;
import dev.lockstep.train.ClassCount;
import dev.lockstep.train.ModelBuilder;
import dev.lockstep.train.ModelFile;
import dev.lockstep.train.TorchSettings;
import dev.lockstep.train.TorchThreads;
import dev.lockstep.train.TrainingConfig.LossType;
import java.nio.file.Path;
import java.util.Optional;
import org.slf4j.MDC;

/**
 * Simulates a federation: its clients are trained on the ranks at hand, each with its own part of
 * the data. Every rank of the communicator makes one with the same arguments and calls {@link
 * #run}.
 *
 * <p>The final model has the same bytes on any number of ranks with the same processors: clients'
 * changes are added up in fixed point, and everything that is drawn follows from the seed, the
 * round and the client. One thread.
 */
public final class Federation {
  private final FederationPlan plan;
  private final Dataset dataset;
  private final Split split;
  private final Communicator communicator;
  private final FederationListener listener;
  private final Optional<Path> checkpoint;

  /**
   * Names the parts; owns none of them.
   *
   * @param split the training samples are those of the clients, the others score the server's model
   * @param checkpoint where rank 0 writes checkpoints; empty for none
   */
  public Federation(
      FederationPlan plan,
      Dataset dataset,
      Split split,
      Communicator communicator,
      FederationListener listener,
      Optional<Path> checkpoint) {
    this.plan = requireNonNull(plan, "plan");
    this.dataset = requireNonNull(dataset, "dataset");
    this.split = requireNonNull(split, "split");
    this.communicator = requireNonNull(communicator, "communicator");
    this.listener = requireNonNull(listener, "listener");
    this.checkpoint = requireNonNull(checkpoint, "checkpoint");
  }

  /**
   * Runs all rounds; collective.
   *
   * @param resume whether to go on from the checkpoint
   * @param modelFile where rank 0 writes the final model; empty to write none
   * @throws dev.lockstep.ConfigKeyException if the data does not allow what the plan asks for
   * @throws dev.lockstep.checkpoint.CheckpointException if a checkpoint cannot be written or used
   * @throws dev.lockstep.comm.CommunicationException if a rank fails
   */
  public FederationResult run(boolean resume, Optional<Path> modelFile) {
    try (MDC.MDCCloseable ignored = RankContext.enter(communicator.rank())) {
      TorchLibraries.load();
      try (TorchSettings settings = TorchSettings.keep()) {
        TorchThreads.configure(plan.threads(), communicator);
        return runAsRank(resume, modelFile);
      }
    }
  }

  private FederationResult runAsRank(boolean resume, Optional<Path> modelFile) {
    LossType loss = plan.federation().loss();
    boolean classifies = loss == LossType.CROSS_ENTROPY;
    int classes = classifies ? ClassCount.of(dataset, communicator) : 0;
    Partition partition =
        Partition.of(
            plan.federation().partition(),
            plan.federation().clients(),
            dataset,
            split.train(),
            classifies,
            plan.seed());
    try (Model model = ModelBuilder.build(plan.model(), dataset, loss, plan.seed(), communicator);
        Communicator alone = Communicator.single()) {
      // Measured by each rank alone: merged over ranks the last bits would depend on their number.
      Normalizer.Pair normalizers = dataset.normalizers(split.train(), alone);
      try (ClientTrainer trainer =
          new ClientTrainer(
              plan.federation(), plan.optimizer(), model, dataset, normalizers, plan.seed())) {
        Rounds rounds =
            new Rounds(
                plan, dataset, split, partition, classes, communicator, trainer, normalizers);
        FederationResult result = runRounds(rounds, partition, classes, resume);
        if (modelFile.isPresent() && communicator.rank() == 0 && !result.stopped()) {
          trainer.vector().write(rounds.state().model);
          ModelFile.save(model, normalizers, classifies, dataset, modelFile.get());
        }
        return result;
      }
    }
  }

  private FederationResult runRounds(
      Rounds rounds, Partition partition, int classes, boolean resume) {
    FederationConfig config = plan.federation();
    Optional<FederationCheckpoint> file =
        checkpoint.map(path -> new FederationCheckpoint(path, identity(), communicator));
    if (resume) {
      rounds.restore(
          file.orElseThrow(() -> new IllegalArgumentException("no checkpoint to resume from")));
    }
    boolean stop = false;
    RoundReport last = null;
    while (rounds.state().rounds < config.rounds() && !stop) {
      last = rounds.next();
      listener.round(last);
      stop = anyWantsToStop();
      boolean due =
          config.checkpointEvery() > 0 && rounds.state().rounds % config.checkpointEvery() == 0;
      if ((due || stop) && rounds.state().rounds < config.rounds()) {
        file.ifPresent(saved -> saved.write(rounds.state(), partition.clients()));
      }
    }
    return new FederationResult(
        rounds.state().rounds < config.rounds(),
        rounds.state().rounds,
        Optional.ofNullable(last),
        rounds.modelSha256(),
        partition,
        classes > 0 ? Optional.of(partition.classCounts(dataset, classes)) : Optional.empty());
  }

  private boolean anyWantsToStop() {
    int[] wish = {listener.stopRequested() ? 1 : 0};
    return communicator.allReduce(wish, ReduceOp.MAX)[0] != 0;
  }

  /** Everything on which the results depend; the number of ranks is not among it. */
  private String identity() {
    return plan.seed()
        + " "
        + plan.threads()
        + " "
        + plan.model()
        + " "
        + plan.optimizer()
        + " "
        + plan.federation().withoutLength()
        + " "
        + dataset.description()
        + " "
        + dataset.featureNames()
        + dataset.targetNames()
        + split.train().length;
  }
}
