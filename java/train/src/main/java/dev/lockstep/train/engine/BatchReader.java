package dev.lockstep.train.engine;

import dev.lockstep.comm.NativeMemory;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.Normalizer;
import dev.lockstep.model.FloatType;
import dev.lockstep.train.engine.SampleReader.Samples;
import dev.lockstep.train.memory.NativeView;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Reads samples into native memory that tensors look at, normalised and in the model's type. The
 * memory is used again for every batch. Not thread-safe.
 */
public final class BatchReader implements AutoCloseable {
  private final Dataset dataset;
  private final Normalizer.Pair normalizers;
  private final boolean classes;
  private final int features;
  private final int targets;
  private final FloatType modelType;
  private final FloatType staged;
  private final double[] featureRows;
  private final double[] targetRows;
  private final NativeMemory inputMemory;
  private final NativeMemory targetMemory;
  private final int cells;
  private final double[] cellWeights;
  private final double[] targetWeights;
  private final boolean weighs;
  private final NativeMemory weightMemory;
  private int loaded;

  /**
   * Makes room.
   *
   * @param capacity the largest number of samples that is read at once
   * @param classes whether the one target column holds class numbers
   */
  public BatchReader(
      Dataset dataset,
      Normalizer.Pair normalizers,
      boolean classes,
      FloatType modelType,
      int capacity) {
    this.dataset = dataset;
    this.normalizers = normalizers;
    this.classes = classes;
    this.modelType = modelType;
    cells = dataset.cells();
    features = dataset.featureNames().size() * cells;
    targets = dataset.targetNames().size() * cells;
    cellWeights = dataset.cellWeights();
    targetWeights = dataset.targetWeights();
    weighs = cellWeights.length + targetWeights.length > 0;
    // Java has no half-precision buffers; libtorch rounds for those models.
    staged = modelType == FloatType.FLOAT64 ? FloatType.FLOAT64 : FloatType.FLOAT32;
    featureRows = new double[capacity * features];
    targetRows = new double[capacity * targets];
    inputMemory = NativeMemory.allocate((long) capacity * features * staged.dataType().bytes());
    long weights = weighs ? (long) capacity * targets * Float.BYTES : 0;
    try {
      targetMemory = NativeMemory.allocate((long) capacity * targets * Double.BYTES);
      try {
        weightMemory = NativeMemory.allocate(Math.max(Float.BYTES, weights));
      } catch (RuntimeException e) {
        targetMemory.close();
        throw e;
      }
    } catch (RuntimeException e) {
      inputMemory.close();
      throw e;
    }
  }

  /**
   * Reads and normalises the samples {@code indices[from]} … {@code indices[from + count − 1]}. May
   * run on another thread than the rest, one call at a time.
   */
  public void load(long[] indices, int from, int count) {
    dataset.read(indices, from, count, featureRows, targetRows);
    normalize(normalizers.features(), featureRows, count, inputMemory);
    if (classes) {
      LongBuffer numbers = targetMemory.buffer().asLongBuffer();
      // A missing one has the weight 0; any class serves.
      for (int i = 0; i < count * targets; i++) {
        numbers.put(i, Double.isNaN(targetRows[i]) ? 0 : (long) targetRows[i]);
      }
    } else {
      normalize(normalizers.targets(), targetRows, count, targetMemory);
    }
    if (weighs) {
      weigh(count);
    }
    loaded = count;
  }

  /** A target that is missing has the weight 0. */
  private void weigh(int count) {
    FloatBuffer weights = weightMemory.buffer().asFloatBuffer();
    for (int i = 0; i < count * targets; i++) {
      weights.put(Double.isNaN(targetRows[i]) ? 0 : (float) weight(i));
    }
  }

  private double weight(int value) {
    double ofCell = cellWeights.length == 0 ? 1 : cellWeights[value % cells];
    return targetWeights.length == 0
        ? ofCell
        : ofCell * targetWeights[value / cells % targetWeights.length];
  }

  /** The samples that were loaded last, as tensors; they belong to the current scope. */
  public Samples samples() {
    long[] shape = shape(loaded, classes ? classShape() : dataset.targetShape());
    return new Samples(
        tensor(inputMemory, shape(loaded, dataset.featureShape())),
        classes
            ? NativeView.tensor(targetMemory.address(), ScalarType.Long, shape)
            : tensor(targetMemory, shape),
        weighs ? NativeView.tensor(weightMemory.address(), ScalarType.Float, shape) : null);
  }

  /** That of a sample's class numbers: a number each cell, without the dimension of the channel. */
  private long[] classShape() {
    long[] shape = dataset.targetShape();
    return shape.length > 1 || shape[0] == 1 ? Arrays.copyOfRange(shape, 1, shape.length) : shape;
  }

  /** The shape of one sample's inputs. */
  public long[] featureShape() {
    return dataset.featureShape();
  }

  /** That of {@code count} samples. */
  public static long[] shape(int count, long[] ofOne) {
    long[] shape = new long[ofOne.length + 1];
    shape[0] = count;
    System.arraycopy(ofOne, 0, shape, 1, ofOne.length);
    return shape;
  }

  /** The targets that were read last, in their own units, row-major; more may follow them. */
  public double[] targetRows() {
    return targetRows;
  }

  private void normalize(Normalizer normalizer, double[] rows, int count, NativeMemory memory) {
    ByteBuffer bytes = memory.buffer();
    if (staged == FloatType.FLOAT64) {
      if (cells == 1 && !weighs) {
        normalizer.apply(rows, count, bytes.asDoubleBuffer());
      } else {
        normalizer.apply(rows, count, cells, bytes.asDoubleBuffer());
      }
    } else if (cells == 1 && !weighs) {
      normalizer.apply(rows, count, bytes.asFloatBuffer());
    } else {
      normalizer.apply(rows, count, cells, bytes.asFloatBuffer());
    }
  }

  private Tensor tensor(NativeMemory memory, long[] shape) {
    Tensor rows = NativeView.tensor(memory.address(), staged.scalarType(), shape);
    return staged == modelType ? rows : rows.to(modelType.scalarType());
  }

  @Override
  public void close() {
    inputMemory.close();
    targetMemory.close();
    weightMemory.close();
  }
}
