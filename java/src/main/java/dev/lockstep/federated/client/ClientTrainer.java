package dev.lockstep.federated.client;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.DistributedSampler;
import dev.lockstep.data.DistributedSampler.Batch;
import dev.lockstep.data.Normalizer;
import dev.lockstep.data.SplitMix64;
import dev.lockstep.federated.config.Algorithm;
import dev.lockstep.federated.config.AugmentationConfig;
import dev.lockstep.federated.config.FederationConfig;
import dev.lockstep.federated.config.FederationPlan;
import dev.lockstep.model.FloatType;
import dev.lockstep.model.Model;
import dev.lockstep.train.OptimizerConfig;
import dev.lockstep.train.engine.BatchReader;
import dev.lockstep.train.engine.Compute;
import dev.lockstep.train.engine.Computed;
import dev.lockstep.train.engine.GradientSink;
import dev.lockstep.train.engine.Loss;
import dev.lockstep.train.engine.MicroBatch;
import dev.lockstep.train.engine.Needs;
import dev.lockstep.train.engine.Replica;
import dev.lockstep.train.engine.SampleReader;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.engine.UsedParameters;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.ModelBuffers;
import dev.lockstep.train.memory.OwnedParts;
import dev.lockstep.train.optimizer.LocalOptimizer;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Trains one client after the other on this rank, each from a model that it is given and with a new
 * optimiser, so that nothing passes from one to the next. Not thread-safe.
 */
public final class ClientTrainer implements AutoCloseable {
  /** Of a training's seed: the stream of how images vary. */
  private static final long VARIATION = 1;

  private final FederationPlan plan;
  private final FederationConfig config;
  private final OptimizerConfig optimizer;
  private final Loss loss;
  private final Model model;
  private final Communicator alone = Communicator.single();
  private final OwnedParts owned = new OwnedParts();
  private final FlatParameters parameters;
  private final FlatBuffers anchor;
  private final ParameterVector vector;
  private final Reader reader;
  private final Compute compute;
  private final UsedParameters used;

  /** Reads from the data of the client at work. */
  private static final class Reader implements SampleReader {
    private final Normalizer.Pair normalizers;
    private final Loss loss;
    private final Model model;
    private final int capacity;
    private BatchReader reader;

    Reader(Dataset data, Normalizer.Pair normalizers, Loss loss, Model model, int capacity) {
      this.normalizers = normalizers;
      this.loss = loss;
      this.model = model;
      this.capacity = capacity;
      reader = open(data);
    }

    private BatchReader open(Dataset data) {
      return new BatchReader(data, normalizers, loss.classifies(), model.type(), capacity);
    }

    void use(Dataset data) {
      BatchReader other = open(data);
      reader.close();
      reader = other;
    }

    @Override
    public Samples read(MicroBatch piece) {
      reader.load(piece.batch().indices(), piece.batch().from() + piece.from(), piece.count());
      return reader.samples();
    }

    @Override
    public long[] featureShape() {
      return reader.featureShape();
    }

    @Override
    public void close() {
      reader.close();
    }
  }

  /** Moves the model into memory of its own until it is closed; owns none of its arguments. */
  public ClientTrainer(
      FederationPlan plan, Model model, Dataset dataset, Normalizer.Pair normalizers) {
    this.plan = plan;
    this.model = model;
    config = plan.federation();
    optimizer = plan.optimizer();
    loss = new Loss(config.loss(), 1);
    owned.add(alone);
    try {
      parameters = owned.add(new FlatParameters(model, alone));
      ModelBuffers buffers = owned.add(new ModelBuffers(model, alone));
      anchor = owned.add(new FlatBuffers(parameters.layout(), NativeMemory::allocate));
      anchor.zero();
      vector = new ParameterVector(parameters.values(), buffers.values());
      reader = owned.add(new Reader(dataset, normalizers, loss, model, config.batchSize()));
      compute = owned.add(new Replica(model, parameters, buffers, loss, reader, plan.seed(), 0));
      used = new UsedParameters(parameters.layout(), alone);
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  public ParameterVector vector() {
    return vector;
  }

  /** The type of the model's numbers. */
  public FloatType type() {
    return model.type();
  }

  /** For scores of the model that was {@linkplain ParameterVector#write written} last. */
  public Compute compute() {
    return compute;
  }

  /**
   * Trains a client.
   *
   * @param data as this client sees it
   * @param samples that it has
   * @param model that it begins with, rounded to the model's own types
   * @param correction added to each gradient (SCAFFOLD's c − cᵢ), in the order of the parameters;
   *     null for none
   * @param seed of its order of samples and of what the model draws
   */
  public ClientUpdate train(
      Dataset data, long[] samples, double[] model, double @Nullable [] correction, long seed) {
    reader.use(varied(data, seed));
    vector.write(model);
    double[] begun = vector.read();
    prepareCorrection(correction);
    DistributedSampler sampler = new DistributedSampler(samples, config.batchSize(), seed, 0, 1);
    int steps = config.steps(samples.length);
    double lossSum = 0;
    long seen = 0;
    boolean finite = true;
    try (LocalOptimizer update = new LocalOptimizer(optimizer, parameters)) {
      for (int i = 0; i < steps && finite; i++) {
        if (!sampler.hasNext()) {
          sampler.nextEpoch();
        }
        Batch batch = sampler.next();
        // Random numbers within the model follow from the seed and the step's number.
        Step step = step(seed + i, batch);
        compute.begin(step);
        lossSum += compute.run(step.pieces().get(0), 1, GradientSink.NONE);
        seen += batch.count();
        finite = apply(update, correction != null);
      }
    }
    return ClientUpdate.of(samples.length, steps, lossSum / seen, finite, vector.read(), begun);
  }

  private Dataset varied(Dataset data, long seed) {
    AugmentationConfig augmentation = config.augmentation();
    return augmentation == null
        ? data
        : new ImageVariation(
            data, augmentation, plan.model().image(), SplitMix64.streamSeed(seed, VARIATION));
  }

  /**
   * How features and targets are normalised, measured by one rank alone: merged over ranks the last
   * bits would depend on their number.
   */
  public static Normalizer.Pair normalizers(
      FederationPlan plan, Dataset dataset, long[] samples, Communicator alone) {
    Normalizer.Pair each = dataset.normalizers(samples, alone);
    return plan.federation().augmentation() == null
        ? each
        : ImageVariation.ofChannels(plan, dataset, samples, each);
  }

  private Step step(long number, Batch batch) {
    return new Step(
        number,
        batch,
        MicroBatch.cut(batch, 1),
        optimizer.learningRate(),
        0,
        new Needs(config.clipNorm() != null, Set.of()));
  }

  /** What is needed to correct gradients: FedProx's w₀, or SCAFFOLD's correction. */
  private void prepareCorrection(double @Nullable [] correction) {
    if (config.algorithm() == Algorithm.FEDPROX) {
      anchor.copyFrom(parameters.values());
    } else if (correction != null) {
      new ParameterVector(anchor).write(correction);
    }
  }

  /** Corrects, clips and applies the gradients. */
  private boolean apply(LocalOptimizer update, boolean corrected) {
    Computed computed = compute.computed();
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (int group = 0; group < parameters.layout().groups().size(); group++) {
        Tensor gradients = parameters.gradients().whole(group);
        if (config.algorithm() == Algorithm.FEDPROX) {
          Tensor pull = parameters.values().whole(group).sub(anchor.whole(group));
          gradients.add_(pull, new Scalar(config.mu()));
        } else if (corrected) {
          gradients.add_(anchor.whole(group));
        }
      }
    }
    double squares = parameters.squaredGradientNorm();
    if (!computed.lossIsFinite() || !parameters.gradientsAreFinite(squares)) {
      return false;
    }
    double scale = 1;
    if (config.clipNorm() != null) {
      scale = Math.min(1, config.clipNorm() / (Math.sqrt(squares) + 1e-6));
    }
    update.apply(used.ofThisRank(computed), optimizer.learningRate(), scale);
    return true;
  }

  /** The mean loss of a model over samples. */
  public double loss(Dataset data, long[] samples, double[] model) {
    reader.use(data);
    vector.write(model);
    double sum = 0;
    for (int from = 0; from < samples.length; from += config.batchSize()) {
      int count = Math.min(config.batchSize(), samples.length - from);
      Batch batch = new Batch(samples, from, count, count);
      try (PointerScope scope = new PointerScope();
          NoGradGuard guard = new NoGradGuard()) {
        SampleReader.Samples read = reader.read(MicroBatch.cut(batch, 1).get(0));
        sum += loss.mean(compute.predict(read.inputs()), read).item_double() * count;
      }
    }
    return sum / samples.length;
  }

  @Override
  public void close() {
    owned.close();
  }
}
