package dev.lockstep.train.engine;

import dev.lockstep.comm.NativeMemory;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.Normalizer;
import dev.lockstep.model.FloatType;
import dev.lockstep.train.engine.SampleReader.Samples;
import dev.lockstep.train.memory.NativeView;
import java.nio.ByteBuffer;
import java.nio.LongBuffer;
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
    features = dataset.featureNames().size();
    targets = dataset.targetNames().size();
    // Java has no half-precision buffers; libtorch rounds for those models.
    staged = modelType == FloatType.FLOAT64 ? FloatType.FLOAT64 : FloatType.FLOAT32;
    featureRows = new double[capacity * features];
    targetRows = new double[capacity * targets];
    inputMemory = NativeMemory.allocate((long) capacity * features * staged.dataType().bytes());
    try {
      targetMemory = NativeMemory.allocate((long) capacity * targets * Double.BYTES);
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
      for (int i = 0; i < count; i++) {
        numbers.put(i, (long) targetRows[i]);
      }
    } else {
      normalize(normalizers.targets(), targetRows, count, targetMemory);
    }
    loaded = count;
  }

  /** The samples that were loaded last, as tensors; they belong to the current scope. */
  public Samples samples() {
    return new Samples(
        tensor(inputMemory, loaded, features),
        classes
            ? NativeView.tensor(targetMemory.address(), ScalarType.Long, loaded)
            : tensor(targetMemory, loaded, targets));
  }

  /** Columns of the inputs. */
  public int features() {
    return features;
  }

  /** The targets that were read last, in their own units, row-major; more may follow them. */
  public double[] targetRows() {
    return targetRows;
  }

  private void normalize(Normalizer normalizer, double[] rows, int count, NativeMemory memory) {
    ByteBuffer bytes = memory.buffer();
    if (staged == FloatType.FLOAT64) {
      normalizer.apply(rows, count, bytes.asDoubleBuffer());
    } else {
      normalizer.apply(rows, count, bytes.asFloatBuffer());
    }
  }

  private Tensor tensor(NativeMemory memory, int count, int columns) {
    Tensor rows = NativeView.tensor(memory.address(), staged.scalarType(), count, columns);
    return staged == modelType ? rows : rows.to(modelType.scalarType());
  }

  @Override
  public void close() {
    inputMemory.close();
    targetMemory.close();
  }
}
