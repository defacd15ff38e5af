package dev.lockstep.train.memory;

import dev.lockstep.comm.NativeMemory;
import java.util.function.LongFunction;
import org.bytedeco.pytorch.Tensor;

/** All gradients in flat buffers of the parameters' layout. */
final class WholeGradients implements GradientMemory, AutoCloseable {
  private final FlatBuffers flat;

  /**
   * @param allocate gives memory of so many bytes
   */
  WholeGradients(FlatLayout layout, LongFunction<NativeMemory> allocate) {
    flat = new FlatBuffers(layout, allocate);
  }

  FlatBuffers flat() {
    return flat;
  }

  @Override
  public void zero() {
    flat.zero();
  }

  @Override
  public boolean isWhole() {
    return true;
  }

  @Override
  public Tensor sum(int parameter) {
    return flat.view(flat.layout().slots().get(parameter));
  }

  @Override
  public void close() {
    flat.close();
  }
}
