package dev.lockstep.train;

import static java.util.Objects.requireNonNull;

import dev.lockstep.comm.Backend;
import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.LaunchEnvironment;
import dev.lockstep.comm.RankContext;
import dev.lockstep.comm.RendezvousException;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.Split;
import dev.lockstep.files.Sha256;
import dev.lockstep.model.Model;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.monitor.RunFolder;
import dev.lockstep.monitor.RunSummary;
import dev.lockstep.monitor.TargetPredictions;
import dev.lockstep.monitor.TrainingEvent.Finished;
import dev.lockstep.monitor.TrainingEvent.Started;
import dev.lockstep.monitor.TrainingListener;
import dev.lockstep.torch.TorchLibraries;
import dev.lockstep.train.engine.Evaluator.Evaluation;
import dev.lockstep.train.strategy.Strategies;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/**
 * One training run, from a plan and a data set to a model file. Every rank of the communicator
 * makes one with the same arguments and calls {@link #run}; the ranks check that they agree.
 *
 * <p>In a host application: while a run lasts, libtorch's default generator, the thread pools of
 * libtorch and OpenBLAS and the way in which TorchScript is executed are the run's, for the whole
 * process; at its end they are what they were. Two runs at once share them.
 *
 * <p>{@link #requestStop} may be called from any thread; all else belongs to one thread.
 */
public final class TrainingJob {
  private static final Logger log = LoggerFactory.getLogger(TrainingJob.class);

  /** Enough for a plot of predictions, few enough to send to rank 0 at once. */
  private static final int PLOTTED_SAMPLES = 5000;

  private final TrainingPlan plan;
  private final Dataset dataset;
  private final Split split;
  private final Communicator communicator;
  private final TrainingListener listener;
  private final Optional<RunFolder> folder;
  private final AtomicBoolean stopRequested = new AtomicBoolean();
  private UnaryOperator<WritableByteChannel> checkpointChannel = UnaryOperator.identity();

  /**
   * Names the parts; nothing happens yet, and the job owns none of them.
   *
   * @param plan what to do
   * @param dataset the samples
   * @param split which of them to train on and which to hold out
   * @param communicator the ranks
   * @param listener hears what happens on this rank; not closed
   * @param folder where rank 0 writes {@code model.pt} and checkpoints; empty to write nothing
   */
  public TrainingJob(
      TrainingPlan plan,
      Dataset dataset,
      Split split,
      Communicator communicator,
      TrainingListener listener,
      Optional<RunFolder> folder) {
    this.plan = requireNonNull(plan, "plan");
    this.dataset = requireNonNull(dataset, "dataset");
    this.split = requireNonNull(split, "split");
    this.communicator = requireNonNull(communicator, "communicator");
    this.listener = TrainingListener.all(List.of(requireNonNull(listener, "listener")));
    this.folder = requireNonNull(folder, "folder");
  }

  /**
   * Asks for a stop: after the step that is under way the ranks agree on it, rank 0 writes a
   * checkpoint, and {@link #run} returns. One rank's wish is enough. Under local SGD the ranks
   * agree at their next average. Thread-safe.
   */
  public void requestStop() {
    stopRequested.set(true);
  }

  /** Has checkpoints' tensors pass through something on their way to the file, for tests. */
  void writeCheckpointsThrough(UnaryOperator<WritableByteChannel> channel) {
    checkpointChannel = channel;
  }

  /**
   * Trains; collective.
   *
   * @param resume whether to go on from the newest usable checkpoint in the folder; without any,
   *     the run starts from the beginning
   * @return how it ended
   * @throws TrainingException if ranks disagree, no checkpoint is usable, or the loss is no number
   * @throws dev.lockstep.model.ModelException if the model cannot be read or does not fit the data
   * @throws dev.lockstep.data.DataException if the data cannot be read
   * @throws dev.lockstep.checkpoint.CheckpointException if a checkpoint cannot be written
   * @throws dev.lockstep.comm.CommunicationException if a rank fails; it names the rank
   */
  public TrainingResult run(boolean resume) {
    try (MDC.MDCCloseable ignored = RankContext.enter(communicator.rank())) {
      return runAsRank(resume);
    }
  }

  private TrainingResult runAsRank(boolean resume) {
    if (dataset.targetNames().isEmpty()) {
      throw new TrainingException(
          "There is nothing to predict: name at least one of data.targets.");
    }
    TorchLibraries.load();
    try (TorchSettings settings = TorchSettings.keep()) {
      return run(resume, TorchThreads.configure(plan.threads(), communicator));
    }
  }

  private TrainingResult run(boolean resume, int threads) {
    DataFingerprint data = DataFingerprint.of(dataset, split);
    TrainingTask task =
        new TrainingTask(plan, dataset, split, communicator, folder, checkpointChannel);
    try (Model model =
        ModelBuilder.build(
            plan.model(), dataset, plan.training().loss(), plan.seed(), communicator)) {
      joinBatchNorms(model);
      String structure = structure(model);
      checkAgreement(model, structure, data);
      RunTotals totals = new RunTotals();
      NonFinite.Found found = NonFinite.Found.NOTHING;
      try (Survivors survivors = new Survivors(communicator)) {
        while (true) {
          try (TrainingAssembly run =
              TrainingAssembly.of(task.withCommunicator(survivors.group()), model)) {
            Checkpoints.@Nullable Position position =
                survivors.isFirstGroup()
                    ? begin(run, data, structure, resume, threads)
                    : survivors.restore(run);
            try (Checkpoints checkpoints = new Checkpoints(run, data, structure)) {
              TrainingLoop loop =
                  new TrainingLoop(run, listener, checkpoints, stopRequested, position, totals);
              if (!survivors.isFirstGroup()) {
                loop.meetAfterRegrouping(found);
              }
              Optional<TrainingResult> result = train(run, loop);
              if (result.isPresent()) {
                checkpoints.await();
                return result.get();
              }
              survivors.keep(run, loop.position());
              found = loop.nonFinite();
            }
          } catch (CommunicationException e) {
            survivors.loseMore(e);
          }
          survivors.regroup();
        }
      }
    }
  }

  /** Restores a checkpoint, or begins; returns where the run goes on, null at its beginning. */
  private Checkpoints.@Nullable Position begin(
      TrainingAssembly run, DataFingerprint data, String structure, boolean resume, int threads) {
    @Nullable Progress progress =
        new Resumption(run, data, structure).find(resume ? folder.orElse(null) : null);
    run.useNormalizers(
        progress == null
            ? dataset.normalizers(run.trainingSamples, communicator)
            : progress.normalizer().pair());
    int epochs = progress == null ? 0 : (int) progress.sampler().epoch();
    // First, because a listener may put an earlier run's folder aside.
    listener.on(new Started(new RunReport(run).start(threads, masterAddress(), epochs)));
    return progress == null
        ? null
        : new Checkpoints.Position(
            progress.sampler(),
            progress.steps(),
            progress.lossSum(run.mesh.data().rank(), run.mesh.data().size()),
            progress.skipped());
  }

  /** Trains to the end, or to a stop; nothing where ranks are gone and the others go on. */
  private Optional<TrainingResult> train(TrainingAssembly run, TrainingLoop loop) {
    TrainingLoop.Ending ending = loop.run();
    if (ending == TrainingLoop.Ending.REGROUPS) {
      return Optional.empty();
    }
    if (ending == TrainingLoop.Ending.STOPPED) {
      return Optional.of(new TrainingResult(true, loop.epochs(), loop.steps(), Optional.empty()));
    }
    RunReport report = new RunReport(run);
    Evaluation evaluation = loop.finalEvaluation();
    run.role.compute().completeModel();
    RunSummary summary = report.summary(loop, evaluation);
    List<TargetPredictions> predictions = loop.evaluator().predictions(PLOTTED_SAMPLES);
    if (communicator.rank() == 0) {
      folder.ifPresent(report::saveModel);
    }
    listener.on(new Finished(summary, predictions, report.maps()));
    return Optional.of(
        new TrainingResult(false, loop.epochs(), loop.steps(), Optional.of(summary)));
  }

  private void joinBatchNorms(Model model) {
    if (communicator.size() == 1 || !model.hasBatchNorm()) {
      return;
    }
    if (plan.model().batchNorm() == ModelConfig.BatchNorm.PER_RANK) {
      int ranks = communicator.size();
      int ofCopy =
          Strategies.pipelineLength(plan.strategy(), plan.mesh(), model, ranks)
              * Strategies.tensorRanks(plan.strategy(), plan.mesh(), model, ranks);
      if (communicator.rank() == 0 && ofCopy < ranks) {
        log.warn(
            "{} has batch norms, whose statistics are per rank: the result depends a little on the"
                + " number of ranks; model.batch_norm: synchronized makes it that of one process.",
            model);
      }
      return;
    }
    if (!plan.strategy().type().equals(StrategyConfig.DEFAULT_TYPE)
        || plan.training().accumulationSteps() != 1) {
      throw new TrainingException(
          "model.batch_norm: synchronized needs strategy.type: data_parallel and"
              + " training.accumulation_steps: 1, with which all ranks step through the same batch.");
    }
    model.synchronizeBatchNorm(communicator);
  }

  /** What tells the model from others besides its tensors. */
  private String structure(Model model) {
    ModelConfig config = plan.model();
    return config.type() == ModelConfig.Type.MLP
        ? "mlp " + config.hidden() + " " + config.activation() + " " + config.dtype()
        : "of code "
            + HexFormat.of()
                .formatHex(Sha256.digest().digest(model.code().getBytes(StandardCharsets.UTF_8)));
  }

  private void checkAgreement(Model model, String structure, DataFingerprint data) {
    Agreement.check(
        model,
        List.of(
            "samples " + data.size() + " of " + data.features() + data.targets(),
            "data of the sampled rows' hash " + data.rowsSha256(),
            "a split (data.seed, data.validation_fraction) of the hash " + data.splitSha256(),
            "seed " + plan.seed(),
            "model " + plan.model(),
            "model " + structure,
            "training " + plan.training(),
            "optimizer " + plan.optimizer(),
            "schedule " + plan.schedule(),
            "strategy " + plan.strategy(),
            "mesh " + plan.mesh(),
            "checkpoints " + plan.checkpoints()),
        communicator);
  }

  private Optional<String> masterAddress() {
    if (communicator.size() == 1) {
      return Optional.empty();
    }
    try {
      LaunchEnvironment environment = LaunchEnvironment.current();
      boolean ofThisGroup =
          environment.backend() == Backend.TCP
              && environment.worldSize() == communicator.size()
              && environment.rank() == communicator.rank();
      return ofThisGroup
          ? Optional.of(environment.masterAddress() + ":" + environment.masterPort())
          : Optional.empty();
    } catch (RendezvousException otherwiseFormed) {
      return Optional.empty(); // the variables are of something else: the group was joined by hand
    }
  }
}
