package dev.lockstep.train.engine;

import dev.lockstep.model.OutputForm;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * A normal distribution for each target, as a network's outputs give it: all means, then all
 * logarithms of variances.
 *
 * @param mean shaped like the targets
 * @param variance likewise, at least {@link OutputForm#SMALLEST_VARIANCE}
 */
record NormalDistribution(Tensor mean, Tensor variance) {
  /**
   * Of a network's outputs.
   *
   * @param outputs [samples, 2 × targets, …]
   * @param like [samples, targets, …]
   */
  static NormalDistribution of(Tensor outputs, Tensor like) {
    long targets = like.size(1);
    Tensor variance =
        outputs.narrow(1, targets, targets).exp().add(new Scalar(OutputForm.SMALLEST_VARIANCE));
    return new NormalDistribution(outputs.narrow(1, 0, targets), variance);
  }

  /** ½ (ln 2π + ln v + (y − μ)² ÷ v). */
  Tensor negativeLogDensity(Tensor value) {
    Tensor square = value.sub(mean).square().div(variance);
    return square.add(variance.log()).add(new Scalar(Math.log(2 * Math.PI))).mul(new Scalar(0.5));
  }

  /**
   * σ (z (2 Φ(z) − 1) + 2 φ(z) − 1 ÷ √π) with z = (y − μ) ÷ σ: T. Gneiting and A. E. Raftery,
   * "Strictly proper scoring rules, prediction, and estimation", JASA 102, 2007, section 4.2, with
   * the sign of a loss. 2 Φ(z) − 1 is erf(z ÷ √2).
   */
  Tensor rankedProbabilityScore(Tensor value) {
    Tensor deviation = variance.sqrt();
    Tensor z = value.sub(mean).div(deviation);
    Tensor both = torch.erf(z.mul(new Scalar(Math.sqrt(0.5)))).mul(z);
    Tensor density = z.square().mul(new Scalar(-0.5)).exp();
    return both.add(density.mul(new Scalar(Math.sqrt(2 / Math.PI))))
        .sub(new Scalar(1 / Math.sqrt(Math.PI)))
        .mul(deviation);
  }
}
