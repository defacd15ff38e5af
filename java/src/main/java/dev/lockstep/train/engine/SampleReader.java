package dev.lockstep.train.engine;

import org.bytedeco.pytorch.Tensor;

/** Samples of training steps, ready for the model. */
public interface SampleReader extends AutoCloseable {
  /**
   * Samples in the model's form; belongs to the scope in which they were read, and is valid until
   * the next are.
   *
   * @param inputs [samples, features], normalised, in the model's type
   * @param targets [samples, targets], normalised, in the model's type; int64 [samples] for classes
   */
  record Samples(Tensor inputs, Tensor targets) {}

  /** Reads a piece that is not empty. */
  Samples read(MicroBatch piece);

  /** Columns of the inputs. */
  int features();

  @Override
  void close();
}
