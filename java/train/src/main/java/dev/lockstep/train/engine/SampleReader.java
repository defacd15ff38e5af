package dev.lockstep.train.engine;

import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/** Samples of training steps, ready for the model. */
public interface SampleReader extends AutoCloseable {
  /**
   * Samples in the model's form; belongs to the scope in which they were read, and is valid until
   * the next are.
   *
   * @param inputs [samples, features], or of fields [samples, channels, …], normalised, in the
   *     model's type
   * @param targets [samples, targets] or [samples, channels, …] likewise; int64 [samples] for
   *     classes
   * @param weights of each target's loss, shaped like the targets; null if all are 1
   */
  record Samples(Tensor inputs, Tensor targets, @Nullable Tensor weights) {}

  /** Reads a piece that is not empty. */
  Samples read(MicroBatch piece);

  /** Says that this rank does not read a piece, or not again. */
  default void skip(MicroBatch piece) {}

  /** The shape of one sample's inputs. */
  long[] featureShape();

  @Override
  void close();
}
