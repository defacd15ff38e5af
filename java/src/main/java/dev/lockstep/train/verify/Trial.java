package dev.lockstep.train.verify;

import dev.lockstep.checkpoint.Checkpoint;
import dev.lockstep.checkpoint.CheckpointConfig;
import dev.lockstep.checkpoint.CheckpointStore;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.CommunicatorConfig;
import dev.lockstep.comm.RendezvousPort;
import dev.lockstep.comm.TcpOptions;
import dev.lockstep.data.DataConfig;
import dev.lockstep.data.DataFiles;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.FeatureConfig;
import dev.lockstep.data.Split;
import dev.lockstep.data.SyntheticConfig;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.monitor.RunFolder;
import dev.lockstep.monitor.TrainingEvent.StepDone;
import dev.lockstep.monitor.TrainingListener;
import dev.lockstep.train.OptimizerConfig;
import dev.lockstep.train.ScheduleConfig;
import dev.lockstep.train.StrategyConfig;
import dev.lockstep.train.TrainingConfig;
import dev.lockstep.train.TrainingJob;
import dev.lockstep.train.TrainingPlan;
import dev.lockstep.train.TrainingResult;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One small training run whose ranks are threads of this process.
 *
 * @param strategy how the ranks work together
 * @param optimizer of the run
 * @param backend between the ranks: auto, tcp or shared_memory
 * @param ranks how many
 * @param timeoutSeconds deadline of each operation
 * @param limit after which ranks that have not ended count as hanging
 */
record Trial(
    StrategyConfig strategy,
    OptimizerConfig optimizer,
    CommunicatorConfig.Choice backend,
    int ranks,
    double timeoutSeconds,
    Duration limit) {
  private static final Logger log = LoggerFactory.getLogger(Trial.class);

  static final int EPOCHS = 3;

  /** 3 epochs of 4 steps, of which the last has 2 samples: with 3 ranks or more, some have none. */
  static final int STEPS = 12;

  private static final int SAMPLES = 122;
  private static final double VALIDATION_FRACTION = 0.2;
  private static final int BATCH = 32;
  private static final double FORMING_SECONDS = 30;
  private static final String TOKEN = UUID.randomUUID().toString();

  /**
   * How a rank ended.
   *
   * @param result of a run that did
   * @param failure of one that did not
   * @param operations that it began
   */
  record Ending(@Nullable TrainingResult result, @Nullable Throwable failure, long operations) {
    boolean hangs() {
      return result == null && failure == null;
    }
  }

  /** What the ranks of a run meet. */
  interface Conditions {
    /** A run that nothing disturbs. */
    Conditions QUIET = rank -> Disturbance.NONE;

    /** What happens to a rank. */
    Disturbance of(int rank);

    /** The step after which a rank is asked to stop. */
    default long stopsAfter(int rank) {
      return Long.MAX_VALUE;
    }

    /** A rank's thread is about to end. */
    default void ended(int rank) {}
  }

  /**
   * Runs.
   *
   * @param folder of checkpoints; null to write nothing
   * @return by rank
   */
  List<Ending> run(@Nullable Path folder, boolean resume, Conditions conditions) {
    AtomicReferenceArray<Ending> endings = new AtomicReferenceArray<>(ranks);
    CountDownLatch running = new CountDownLatch(ranks);
    try (RendezvousPort port = Communicator.listen("127.0.0.1", 0)) {
      for (int r = 0; r < ranks; r++) {
        int rank = r;
        endings.set(rank, new Ending(null, null, 0));
        Thread thread =
            new Thread(
                () -> {
                  endings.set(rank, runRank(port, rank, folder, resume, conditions));
                  conditions.ended(rank);
                  running.countDown();
                },
                "verify-rank-" + rank);
        thread.setDaemon(true);
        thread.start();
      }
      if (!running.await(limit.toMillis(), TimeUnit.MILLISECONDS)) {
        log.warn("Not all ranks of a run have ended within {} s.", limit.toSeconds());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return IntStream.range(0, ranks).mapToObj(endings::get).toList();
  }

  private Ending runRank(
      RendezvousPort port, int rank, @Nullable Path folder, boolean resume, Conditions conditions) {
    try (Communicator own = join(port, rank);
        Dataset data = DataFiles.open(data())) {
      DisturbedCommunicator disturbed = new DisturbedCommunicator(own, conditions.of(rank));
      TrainingJob[] job = new TrainingJob[1];
      TrainingListener listener =
          event -> {
            if (event instanceof StepDone done && done.steps() == conditions.stopsAfter(rank)) {
              job[0].requestStop();
            }
          };
      job[0] =
          new TrainingJob(
              plan(),
              data,
              Split.of(SAMPLES, VALIDATION_FRACTION, 1),
              disturbed.view(),
              listener,
              Optional.ofNullable(folder).map(RunFolder::new));
      try {
        return new Ending(job[0].run(resume), null, disturbed.operations());
      } catch (RuntimeException | Error e) {
        return new Ending(null, e, disturbed.operations());
      }
    } catch (RuntimeException e) {
      return new Ending(null, e, 0);
    }
  }

  /** Over loopback, as ranks of one host do that are processes. */
  private Communicator join(RendezvousPort port, int rank) {
    CommunicatorConfig config = new CommunicatorConfig(backend, timeoutSeconds);
    Communicator own =
        rank == 0
            ? port.join(ranks, TOKEN, FORMING_SECONDS, config)
            : Communicator.join(
                new TcpOptions(rank, ranks, port.address(), port.port(), TOKEN, FORMING_SECONDS),
                config);
    own.setTimeout(timeoutSeconds);
    return own;
  }

  private TrainingPlan plan() {
    return new TrainingPlan(
        "verify",
        3,
        1,
        ModelConfig.of(null, List.of(8, 8), null, null, null),
        TrainingConfig.of(EPOCHS, BATCH, null, null, null, null, null),
        optimizer,
        ScheduleConfig.defaults(),
        strategy,
        CheckpointConfig.of(1, 100));
  }

  private static DataConfig data() {
    return new DataConfig(
        null,
        DataConfig.Format.AUTO,
        new SyntheticConfig(SAMPLES, 4, 2, 0.1, 5),
        Stream.of("x0", "x1", "x2", "x3").map(FeatureConfig::of).toList(),
        List.of("y0", "y1"),
        true,
        0,
        0);
  }

  /** The newest checkpoint in a folder. */
  static Optional<Checkpoint> checkpoint(Path folder) {
    return new CheckpointStore(new RunFolder(folder).checkpoints(), 100)
        .latest(any -> Optional.empty())
        .checkpoint();
  }
}
