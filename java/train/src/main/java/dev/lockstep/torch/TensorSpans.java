package dev.lockstep.torch;

import dev.lockstep.comm.DataType;
import dev.lockstep.comm.MemoryOwner;
import dev.lockstep.comm.Span;
import java.lang.ref.Reference;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Tensors as communicators take them. Thread-safe. */
public final class TensorSpans {
  private TensorSpans() {}

  /**
   * The elements of a dense CPU tensor, in memory order. A started operation keeps them until its
   * end; the tensor must not be closed during a blocking one.
   *
   * @throws IllegalArgumentException when it is undefined, not contiguous, not on the CPU, or of a
   *     type that {@link DataType} has not
   */
  public static Span of(Tensor tensor) {
    if (tensor.isNull() || !tensor.defined()) {
      throw new IllegalArgumentException("The tensor is undefined.");
    }
    if (!tensor.is_cpu()) {
      throw new IllegalArgumentException(
          "Communicators take CPU tensors; call tensor.cpu() first.");
    }
    if (!tensor.is_contiguous()) {
      throw new IllegalArgumentException(
          "Communicators take contiguous tensors; call tensor.contiguous() first.");
    }
    return Span.of(tensor.data_ptr().address(), tensor.numel(), typeOf(tensor), new Owner(tensor));
  }

  private static DataType typeOf(Tensor tensor) {
    ScalarType type = tensor.scalar_type();
    return switch (type.intern()) {
      case Float -> DataType.F32;
      case Double -> DataType.F64;
      case Half -> DataType.F16;
      case BFloat16 -> DataType.BF16;
      case Int -> DataType.I32;
      case Long -> DataType.I64;
      case Byte -> DataType.U8;
      default ->
          throw new IllegalArgumentException(
              "Communicators have no element type for a tensor of " + type + ".");
    };
  }

  private record Owner(Tensor tensor) implements MemoryOwner {
    @Override
    public Runnable hold() {
      enter();
      Tensor copy = new Tensor(tensor); // of the handle; both share the elements
      copy.retainReference(); // a scope around us must not close it
      return copy::close;
    }

    @Override
    public void enter() {
      if (tensor.isNull()) {
        throw new IllegalStateException("The tensor is closed.");
      }
    }

    @Override
    public void exit() {
      Reference.reachabilityFence(tensor);
    }
  }
}
