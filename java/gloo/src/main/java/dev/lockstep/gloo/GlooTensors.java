package dev.lockstep.gloo;

import dev.lockstep.comm.DataType;
import dev.lockstep.comm.Span;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Spans as Gloo takes them: tensors that own nothing and end before their memory does. */
final class GlooTensors {
  private GlooTensors() {}

  static ScalarType typeOf(DataType type) {
    return switch (type) {
      case F32 -> ScalarType.Float;
      case F64 -> ScalarType.Double;
      case F16 -> ScalarType.Half;
      case BF16 -> ScalarType.BFloat16;
      case I32 -> ScalarType.Int;
      case I64 -> ScalarType.Long;
      case U8 -> ScalarType.Byte;
    };
  }

  static boolean isFloating(DataType type) {
    return type != DataType.I32 && type != DataType.I64 && type != DataType.U8;
  }

  static Tensor elements(Span span) {
    return over(span.address(), span.count(), typeOf(span.type()));
  }

  /** What is only moved needs no type. */
  static Tensor bytes(Span span) {
    return over(span.address(), span.count() * span.type().bytes(), ScalarType.Byte);
  }

  private static Tensor over(long address, long count, ScalarType type) {
    try (TensorOptions options = new TensorOptions(type)) {
      return count == 0
          ? torch.empty(new long[] {0}, options, null)
          : torch.from_blob(new Address(address), new long[] {count}, options);
    }
  }

  static void copy(Span from, Span to) {
    long bytes = from.count() * from.type().bytes();
    if (bytes > 0 && from.address() != to.address()) {
      Pointer.memcpy(new Address(to.address()), new Address(from.address()), bytes);
    }
  }

  private static final class Address extends Pointer {
    Address(long address) {
      this.address = address;
    }
  }
}
