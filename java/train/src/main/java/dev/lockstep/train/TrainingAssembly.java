package dev.lockstep.train;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.data.DataPartitioner;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.DistributedSampler;
import dev.lockstep.data.Normalizer;
import dev.lockstep.model.FloatType;
import dev.lockstep.model.Model;
import dev.lockstep.model.ModelTensor;
import dev.lockstep.train.PrecisionConfig.Type;
import dev.lockstep.train.engine.BatchReader;
import dev.lockstep.train.engine.Evaluator;
import dev.lockstep.train.engine.Loss;
import dev.lockstep.train.engine.PrefetchingReader;
import dev.lockstep.train.engine.Role;
import dev.lockstep.train.engine.Schedule;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.strategy.Mesh;
import dev.lockstep.train.strategy.RoleContext;
import dev.lockstep.train.strategy.Strategies;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The parts of a run on this rank, put together; closes them in the reverse order. One thread. */
final class TrainingAssembly implements AutoCloseable {
  /** Held-out samples at once, at least: without gradients they need little memory. */
  private static final int SCORED_SAMPLES = 256;

  /** Features of all held-out samples at once, for fields: 8 MiB of them. */
  private static final long SCORED_VALUES = 1 << 20;

  /** Strategies whose ranks have the parameters of one process after each step. */
  private static final Set<String> STEPPING_TOGETHER =
      Set.of(StrategyConfig.DEFAULT_TYPE, "pipeline");

  final TrainingTask task;
  final Model model;
  final Loss loss;
  final long[] trainingSamples;
  final DistributedSampler sampler;
  final Schedule schedule;
  final PrefetchingReader reader;
  final Role role;
  final TrainingState state = new TrainingState();
  final Mesh mesh;
  final BestModel best;
  final AveragedModel average;
  final BatchPlan batches;
  final @Nullable WorkShares shares;
  private final RoleContext context;
  private final int capacity;

  /** Into how many pieces a rank's share of a batch is cut. */
  final int pieces;

  private Normalizer.@Nullable Pair normalizers;
  private @Nullable BatchReader scoringReader;

  /** Composes the role and declares the state; collective. Owns nothing that it is given. */
  static TrainingAssembly of(TrainingTask task, Model model) {
    TrainingPlan plan = task.plan();
    Communicator ranks = task.communicator();
    int pipeline = Strategies.pipelineLength(plan.strategy(), plan.mesh(), model, ranks.size());
    int tensor = Strategies.tensorRanks(plan.strategy(), plan.mesh(), model, ranks.size());
    Mesh mesh = Mesh.form(ranks, plan.mesh(), pipeline, tensor);
    try {
      return new TrainingAssembly(task, model, mesh);
    } catch (RuntimeException e) {
      try {
        mesh.close();
      } catch (RuntimeException other) {
        e.addSuppressed(other);
      }
      throw e;
    }
  }

  private TrainingAssembly(TrainingTask task, Model model, Mesh mesh) {
    this.mesh = mesh;
    this.task = task;
    this.model = model;
    TrainingPlan plan = task.plan();
    TrainingConfig training = plan.training();
    Communicator sharing = mesh.data();
    trainingSamples = task.split().train();
    batches = new BatchPlan(training, plan.optimizer().type(), trainingSamples.length);
    int batchSize = Math.min(training.batchSize(), trainingSamples.length);
    int idle = Strategies.ranksWithoutSamples(plan.strategy(), sharing.size());
    sampler =
        new DistributedSampler(
            trainingSamples, batchSize, plan.seed(), sharing.rank(), sharing.size(), idle);
    loss = new Loss(training.loss(), training.huberDelta());
    shares = training.balance() ? new WorkShares(sharing) : null;
    int workers = sharing.size() - idle;
    int share = (int) new DataPartitioner(batchSize, workers).size(0);
    int largest =
        training.balance()
            ? batches.largest()
            : (int) new DataPartitioner(batches.largest(), workers).size(0);
    int told = Strategies.pieces(plan.strategy(), training.accumulationSteps());
    // A rank alone measures the norm of a part of its batch where batches adapt.
    pieces = batches.measures() && workers == 1 ? Math.max(2, told) : told;
    int pieceSamples = (share - 1) / pieces + 1;
    capacity = Math.max(scoredSamples(task.dataset()), (largest - 1) / pieces + 1);
    long steps = (long) sampler.stepsPerEpoch() * training.epochs();
    schedule =
        new Schedule(
            plan.schedule(),
            plan.optimizer().learningRate(),
            sampler.stepsPerEpoch(),
            training.maxSteps() == null ? steps : Math.min(steps, training.maxSteps()));
    reader = new PrefetchingReader(this::newReader);
    context =
        new RoleContext(
            mesh,
            model,
            plan.optimizer(),
            loss,
            reader,
            plan.seed(),
            training.clipNorm(),
            training.precision(),
            precision(training.precision(), pieceSamples),
            task.dataset().featureShape(),
            pieceSamples,
            pieces);
    try {
      role = Strategies.create(plan.strategy(), context);
      if (!context.heedsPrecision()) {
        throw new ConfigKeyException(
            "training.precision", "must be float32 where ranks have parts of the model.");
      }
      if (training.batch().adaptive()) {
        requireFloat32("training.batch.adaptive");
        require(
            context.measuresParts(),
            "training.batch.adaptive",
            "data_parallel without compression and with sharding 0 or 1");
      }
      if (training.balance()) {
        require(
            context.reducesExactly(),
            "training.balance",
            "data_parallel without compression and with sharding at most 2");
      }
      best = context.own(new BestModel(training.earlyStopping(), context.modelMemory()));
      if (training.ema() != null) {
        requireFloat32("training.ema");
        // Slices of other ranks may still be on their way when a step is over.
        int sharding = plan.strategy().toJson().path("sharding").asInt(0);
        require(
            STEPPING_TOGETHER.contains(plan.strategy().type()) && sharding == 0,
            "training.ema",
            "data_parallel with sharding 0, or pipeline");
      }
      average =
          context.own(
              new AveragedModel(training.ema(), context.modelMemory().get(0), task.communicator()));
      role.declare(state);
      best.declare(state);
      average.declare(state);
      batches.declare(state);
      if (shares != null) {
        shares.declare(state);
      }
    } catch (RuntimeException e) {
      closeAfter(e);
      throw e;
    }
  }

  /**
   * What the configured precision means for this model on these ranks; collective.
   *
   * @param samples of a piece
   */
  private Type precision(PrecisionConfig config, int samples) {
    if (config.type() == Type.FLOAT32) {
      return Type.FLOAT32;
    }
    requireFloat32("training.precision");
    if (config.type() != Type.AUTO) {
      return config.type();
    }
    long[] shape = BatchReader.shape(samples, task.dataset().featureShape());
    model.setTraining(true);
    return new PrecisionTrial(model, task.communicator(), System::nanoTime).choose(shape);
  }

  private void requireFloat32(String key) {
    for (ModelTensor parameter : model.parameters()) {
      FloatType type = FloatType.of(parameter.tensor().scalar_type());
      if (type != FloatType.FLOAT32) {
        throw new ConfigKeyException(
            key,
            "needs parameters of float32, and "
                + parameter.name()
                + " is "
                + type.name().toLowerCase(Locale.ROOT)
                + "; set model.dtype: float32, or leave "
                + key
                + " out.");
      }
    }
  }

  private static void require(boolean possible, String key, String strategy) {
    if (!possible) {
      throw new ConfigKeyException(
          key,
          "needs ranks that take every step together, with the sum of their gradients as it is:"
              + " strategy.type: "
              + strategy
              + ".");
    }
  }

  /** Has the sampler follow the plans, at the beginning and when they have changed. */
  void followPlans() {
    sampler.resize(batches.size());
    if (shares != null) {
      sampler.share(shares.shares());
    }
  }

  private static int scoredSamples(Dataset dataset) {
    long values = (long) dataset.cells() * dataset.featureNames().size();
    return dataset.cells() == 1
        ? SCORED_SAMPLES
        : (int) Math.max(1, Math.min(SCORED_SAMPLES, SCORED_VALUES / values));
  }

  /** Takes the normalisers, of a checkpoint or newly measured. */
  void useNormalizers(Normalizer.Pair pair) {
    normalizers = pair;
  }

  Normalizer.Pair normalizers() {
    if (normalizers == null) {
      throw new IllegalStateException("Samples are asked for before they can be normalised.");
    }
    return normalizers;
  }

  private BatchReader newReader() {
    return new BatchReader(
        task.dataset(), normalizers(), loss.classifies(), model.type(), capacity);
  }

  Evaluator newEvaluator() {
    scoringReader = newReader();
    return new Evaluator(
        role.compute(),
        loss,
        scoringReader,
        capacity,
        normalizers().targets(),
        task.dataset(),
        task.split().validation(),
        mesh.data());
  }

  private void closeAfter(RuntimeException cause) {
    try {
      close();
    } catch (RuntimeException e) {
      cause.addSuppressed(e);
    }
  }

  @Override
  public void close() {
    try (mesh;
        loss;
        context;
        reader) {
      if (scoringReader != null) {
        scoringReader.close();
      }
    }
  }
}
