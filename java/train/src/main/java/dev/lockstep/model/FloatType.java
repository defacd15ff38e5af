package dev.lockstep.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.comm.DataType;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Floating-point types that a model's parameters can have. */
public enum FloatType {
  @JsonProperty("float32")
  FLOAT32(ScalarType.Float, DataType.F32),
  @JsonProperty("float64")
  FLOAT64(ScalarType.Double, DataType.F64),
  /** IEEE 754 binary16. */
  @JsonProperty("float16")
  FLOAT16(ScalarType.Half, DataType.F16),
  /** bfloat16: the upper half of a binary32. */
  @JsonProperty("bfloat16")
  BFLOAT16(ScalarType.BFloat16, DataType.BF16);

  private final ScalarType scalarType;
  private final DataType dataType;

  FloatType(ScalarType scalarType, DataType dataType) {
    this.scalarType = scalarType;
    this.dataType = dataType;
  }

  /** libtorch's name of this type. */
  public ScalarType scalarType() {
    return scalarType;
  }

  /** The communicators' name of this type. */
  public DataType dataType() {
    return dataType;
  }

  /**
   * The type of that name in libtorch.
   *
   * @throws IllegalArgumentException if it is no floating type that models here can have
   */
  public static FloatType of(ScalarType scalarType) {
    return switch (scalarType.intern()) {
      case Float -> FLOAT32;
      case Double -> FLOAT64;
      case Half -> FLOAT16;
      case BFloat16 -> BFLOAT16;
      default ->
          throw new IllegalArgumentException(
              "Models here have parameters of float32, float64, float16 or bfloat16, not "
                  + scalarType
                  + ".");
    };
  }
}
