package dev.lockstep.benchmarks;

import dev.lockstep.torch.TorchLibraries;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.Supplier;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * What libtorch's products give on this processor in float32, bfloat16 and float16, on one thread:
 * the limit of mixed precision. Arguments: samples, inputs, outputs, repetitions. Prints one JSON
 * object: milliseconds of [samples, inputs] × [inputs, outputs], least of the repetitions, which
 * take turns (float16 has one); "rounded" includes rounding both factors, as autocast does.
 */
public final class ReducedProducts {
  private ReducedProducts() {}

  /** Runs. */
  public static void main(String[] arguments) {
    long samples = Long.parseLong(arguments[0]);
    long inputs = Long.parseLong(arguments[1]);
    long outputs = Long.parseLong(arguments[2]);
    int repetitions = Integer.parseInt(arguments[3]);
    TorchLibraries.load();
    torch.set_num_threads(1);
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      Tensor left = torch.randn(new long[] {samples, inputs});
      Tensor right = torch.randn(new long[] {inputs, outputs});
      ScalarType[] types = {ScalarType.Float, ScalarType.BFloat16, ScalarType.Half};
      double[] least = new double[2 * types.length];
      Arrays.fill(least, Double.POSITIVE_INFINITY);
      for (int i = 0; i < repetitions; i++) {
        // Where no instruction serves float16 its products are slow by orders of magnitude.
        int measured = i == 0 ? types.length : types.length - 1;
        for (int t = 0; t < measured; t++) {
          ScalarType type = types[t];
          Tensor a = left.to(type);
          Tensor b = right.to(type);
          least[2 * t] = Math.min(least[2 * t], millis(() -> a.matmul(b)));
          least[2 * t + 1] =
              Math.min(least[2 * t + 1], millis(() -> left.to(type).matmul(right.to(type))));
        }
      }
      System.out.printf(
          Locale.ROOT,
          "{\"gflop\": %.4f, \"float32\": %.4f, \"bf16\": %.4f, \"bf16_rounded\": %.4f,"
              + " \"fp16\": %.4f, \"fp16_rounded\": %.4f}%n",
          2e-9 * samples * inputs * outputs,
          least[0],
          least[2],
          least[3],
          least[4],
          least[5]);
    }
  }

  private static double millis(Supplier<Tensor> product) {
    long begin = System.nanoTime();
    try (PointerScope scope = new PointerScope()) {
      product.get();
    }
    return (System.nanoTime() - begin) * 1e-6;
  }
}
