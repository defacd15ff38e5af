package dev.lockstep.model;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.JitModule;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorArrayRefOptional;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Batch normalisation (Ioffe and Szegedy 2015) over the joined batch of all ranks, in training: the
 * sums over samples that the forward pass needs, and the two of the backward pass, are all-reduced.
 * With x̂ = (x − mean) ÷ √(variance + ε) and g the gradient of x̂, that of x is (g − mean(g) − x̂
 * mean(g x̂)) ÷ √(variance + ε), means over all ranks' samples.
 *
 * <p>Scale and shift are left to libtorch, whose hooks tell of their gradients. Collective: every
 * rank runs it for every batch, without samples, too.
 */
final class SynchronizedBatchNorm implements TrainingPass.Part {
  private static final Pattern CLASS =
      Pattern.compile(
          "__torch__\\.(\\S+\\.)?batchnorm\\.(___torch_mangle_\\d+\\.)?BatchNorm[123]d");
  private static final Pattern NUMBER =
      Pattern.compile("%(\\S+) : float = prim::Constant\\[value=([^]]+)]\\(\\).*");
  // Scripted: batch_norm(x, mean, variance, weight, bias, training, momentum, eps).
  // Traced: batch_norm(x, weight, bias, mean, variance, training, momentum, eps, cudnn_enabled).
  private static final Pattern CALL =
      Pattern.compile(
          "(prim::CallFunction\\(%\\S+, (?:%\\S+, ){6}|aten::batch_norm\\((?:%\\S+, ){6})"
              + "%(\\S+), %([^\\s,)]+)[,)]");

  /**
   * A batch norm of a model.
   *
   * @param weight its scale, if it has one
   * @param bias its shift, if it has one
   */
  record Layer(
      Stage stage,
      Optional<Tensor> weight,
      Optional<Tensor> bias,
      Tensor runningMean,
      Tensor runningVariance,
      Optional<Tensor> batches,
      double momentum,
      double epsilon) {}

  private final Layer layer;
  private final Communicator communicator;
  private final Runnable begins;
  private double samples;
  private Tensor input = new Tensor();
  private Tensor scale = new Tensor();
  private Tensor normalised = new Tensor();
  private Tensor output = new Tensor();

  /**
   * @param begins is run whenever the layer is about to be applied
   */
  SynchronizedBatchNorm(Layer layer, Communicator communicator, Runnable begins) {
    this.layer = layer;
    this.communicator = communicator;
    this.begins = begins;
  }

  /** Whether a stage is a batch norm of PyTorch. */
  static boolean is(Stage stage) {
    try (PointerScope scope = new PointerScope()) {
      String type = stage.module().type().name().get().qualifiedName().getString();
      return CLASS.matcher(type).matches();
    }
  }

  /**
   * What a batch norm consists of; its tensors share the module's and are the caller's.
   *
   * @throws ModelException if it keeps no running statistics, or averages them by their count
   */
  static Layer layer(Stage stage) {
    JitModule module = stage.module();
    List<Double> numbers = momentumAndEpsilon(ForwardCuts.forwardGraph(module));
    Optional<Tensor> mean = tensor(module, "running_mean");
    Optional<Tensor> variance = tensor(module, "running_var");
    if (numbers.size() != 2 || mean.isEmpty() || variance.isEmpty()) {
      throw new ModelException(
          "Batch norm "
              + stage
              + " cannot be synchronised: it keeps no running statistics, or has no momentum; use"
              + " torch.nn.BatchNorm with its defaults, or batch_norm: per_rank.");
    }
    return new Layer(
        stage,
        tensor(module, "weight"),
        tensor(module, "bias"),
        mean.get(),
        variance.get(),
        tensor(module, "num_batches_tracked"),
        numbers.get(0),
        numbers.get(1));
  }

  private static List<Double> momentumAndEpsilon(String graph) {
    Matcher call = CALL.matcher(graph);
    List<Double> numbers = new ArrayList<>();
    if (call.find()) {
      for (String name : List.of(call.group(2), call.group(3))) {
        for (String line : graph.lines().map(String::strip).toList()) {
          Matcher number = NUMBER.matcher(line);
          if (number.matches() && number.group(1).equals(name)) {
            numbers.add(Double.valueOf(number.group(2)));
          }
        }
      }
    }
    return numbers;
  }

  private static Optional<Tensor> tensor(JitModule module, String name) {
    if (!module.hasattr(name)) {
      return Optional.empty();
    }
    try (PointerScope scope = new PointerScope()) {
      IValue value = module.attr(name);
      if (!value.isTensor()) {
        return Optional.empty();
      }
      Tensor tensor = new Tensor(value.toTensor());
      tensor.retainReference();
      return Optional.of(tensor);
    }
  }

  @Override
  public Tensor forward(Tensor input) {
    begins.run();
    this.input = input;
    try (NoGradGuard guard = new NoGradGuard()) {
      // Under autocast, what comes from a product is of a reduced type.
      Tensor x = input.detach().to(layer.runningMean().scalar_type());
      int channels = (int) x.size(1);
      double[] sums = new double[channels + 1];
      System.arraycopy(overSamples(x), 0, sums, 0, channels);
      sums[channels] = (double) x.numel() / channels;
      double[] all = communicator.allReduce(sums, ReduceOp.SUM);
      samples = all[channels];
      Tensor mean = column(divided(all, channels, samples), x);
      Tensor centred = x.sub(mean);
      double[] squares = communicator.allReduce(overSamples(centred.mul(centred)), ReduceOp.SUM);
      Tensor variance = column(divided(squares, channels, samples), x);
      scale = variance.add(new Scalar(layer.epsilon())).rsqrt();
      normalised = centred.mul(scale).set_requires_grad(true);
      track(mean, variance.mul(new Scalar(samples / Math.max(1, samples - 1))));
    }
    output = normalised;
    if (layer.weight().isPresent()) {
      output = output.mul(column(layer.weight().get(), input));
    }
    if (layer.bias().isPresent()) {
      output = output.add(column(layer.bias().get(), input));
    }
    return output;
  }

  /** Moves the running statistics as PyTorch does, the variance by its unbiased estimate. */
  private void track(Tensor mean, Tensor variance) {
    move(layer.runningMean(), mean);
    move(layer.runningVariance(), variance);
    layer.batches().ifPresent(count -> count.add_(new Scalar(1L)));
  }

  private void move(Tensor running, Tensor now) {
    running
        .mul_(new Scalar(1 - layer.momentum()))
        .add_(now.view(-1).to(running.scalar_type()), new Scalar(layer.momentum()));
  }

  @Override
  public Tensor backward(Tensor gradient) {
    if (layer.weight().isPresent() || layer.bias().isPresent()) {
      output.backward(gradient, new BoolOptional(), false, new TensorArrayRefOptional());
      gradient = normalised.grad();
    }
    try (NoGradGuard guard = new NoGradGuard()) {
      Tensor x = normalised.detach();
      int channels = (int) x.size(1);
      double[] sums = new double[2 * channels];
      System.arraycopy(overSamples(gradient), 0, sums, 0, channels);
      System.arraycopy(overSamples(gradient.mul(x)), 0, sums, channels, channels);
      double[] all = communicator.allReduce(sums, ReduceOp.SUM);
      Tensor mean = column(divided(all, channels, samples), x);
      double[] products = new double[channels];
      System.arraycopy(all, channels, products, 0, channels);
      Tensor slope = column(divided(products, channels, samples), x);
      return gradient.sub(mean).sub(x.mul(slope)).mul(scale);
    }
  }

  @Override
  public List<Tensor> held() {
    return List.of(input, scale, normalised, output);
  }

  /** Sums over everything but the channels, dimension 1. */
  private static double[] overSamples(Tensor values) {
    if (values.numel() == 0) {
      return new double[(int) values.size(1)];
    }
    Tensor rows = values.to(ScalarType.Double).transpose(0, 1).reshape(values.size(1), -1);
    Tensor sums = rows.sum(1).contiguous();
    double[] result = new double[(int) values.size(1)];
    new DoublePointer(sums.data_ptr()).get(result);
    return result;
  }

  private static double[] divided(double[] sums, int count, double by) {
    double[] means = new double[count];
    for (int i = 0; i < count; i++) {
      means[i] = sums[i] / by;
    }
    return means;
  }

  /** Numbers of the channels in the shape that meets dimension 1 of {@code like}. */
  private static Tensor column(double[] values, Tensor like) {
    return column(Mlp.tensor(values, values.length).to(like.scalar_type()), like);
  }

  private static Tensor column(Tensor values, Tensor like) {
    long[] shape = new long[(int) like.dim()];
    Arrays.fill(shape, 1);
    shape[1] = values.numel();
    return values.view(shape);
  }
}
