package dev.lockstep.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.torch.TorchLibraries;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.BoolType;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.JitModule;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.QualifiedName;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorArrayRefOptional;
import org.bytedeco.pytorch.TensorBase;
import org.bytedeco.pytorch.TensorTensorHook;
import org.bytedeco.pytorch.Type;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What large models need of autograd, done over TorchScript modules with what the presets have,
 * which is no {@code autograd.Function}. See docs/decisions/without-custom-autograd.md; cuts
 * between stages are in {@link StagesTest}.
 */
@Timeout(120)
class WithoutCustomAutogradTest {
  private static final int WIDTH = 6;

  @BeforeAll
  static void load() {
    TorchLibraries.load();
  }

  private static Tensor values(double factor, long... shape) {
    long count = 1;
    for (long length : shape) {
      count *= length;
    }
    Tensor line = torch.arange(new Scalar(count)).to(ScalarType.Double);
    return line.mul(new Scalar(factor)).add(new Scalar(factor)).sin().view(shape);
  }

  private static double[] doubles(Tensor tensor) {
    double[] result = new double[(int) tensor.numel()];
    new DoublePointer(tensor.detach().contiguous().data_ptr()).get(result);
    return result;
  }

  private static JitModule layer(String body, Tensor weight) {
    JitModule module = new JitModule(new QualifiedName("__torch__.Layer"));
    module.register_attribute("training", new Type.TypePtr(BoolType.get().get()), new IValue(true));
    module.register_parameter("w", weight.clone().set_requires_grad(true), false);
    module.define("def forward(self, x: Tensor) -> Tensor:\n    return " + body + "\n");
    return module;
  }

  private static Tensor run(JitModule module, Tensor input) {
    return module.forward(new IValueVector(new IValue(input))).toTensor();
  }

  private static Tensor gradient(JitModule module) {
    return module.attr("w").toTensor().grad();
  }

  private static void backward(Tensor output, Tensor gradient) {
    output.backward(gradient, new BoolOptional(), false, new TensorArrayRefOptional());
  }

  /**
   * Megatron's f: nothing forward, the sum over ranks backward (Shoeybi et al. 2019, section 3).
   */
  private static final class SumOfGradients extends TensorTensorHook {
    private final Communicator communicator;

    SumOfGradients(Communicator communicator) {
      this.communicator = communicator;
    }

    @Override
    public TensorBase call(TensorBase computed) {
      try (Tensor own = new Tensor(computed)) {
        double[] sum = communicator.allReduce(doubles(own), ReduceOp.SUM);
        return Mlp.tensor(sum, own.size(0), own.size(1));
      }
    }
  }

  /** Megatron's g: the sum over ranks forward, in the tensor's own memory; nothing backward. */
  private static void sumInPlace(Tensor partial, Communicator communicator) {
    double[] sum = communicator.allReduce(doubles(partial), ReduceOp.SUM);
    new DoublePointer(partial.data_ptr()).put(sum);
  }

  @Test
  void twoRanksWithHalfOfABlockEachHaveTheGradientsOfOneWithAllOfIt() throws Exception {
    List<double[]> whole = new ArrayList<>();
    try (PointerScope scope = new PointerScope()) {
      JitModule first = layer("torch.linear(x, self.w)", values(0.9, 4, 4));
      JitModule up = layer("torch.tanh(torch.linear(x, self.w))", values(0.7, WIDTH, 4));
      JitModule down = layer("torch.linear(x, self.w)", values(0.3, 3, WIDTH));
      JitModule last = layer("torch.tanh(torch.linear(x, self.w))", values(0.5, 2, 3));
      Tensor output = run(last, run(down, run(up, run(first, values(1.3, 5, 4)))));
      output.sum().backward();
      whole.add(doubles(output));
      for (JitModule module : List.of(first, up, down, last)) {
        whole.add(doubles(gradient(module)));
      }
    }
    List<List<double[]>> ranks = RankThreads.run(2, WithoutCustomAutogradTest::halfABlock);
    for (List<double[]> rank : ranks) {
      assertArrayEquals(whole.get(0), rank.get(0), 1e-14);
      assertArrayEquals(whole.get(1), rank.get(1), 1e-13);
      assertArrayEquals(whole.get(4), rank.get(4), 1e-14);
    }
    int half = WIDTH / 2;
    for (int i = 0; i < WIDTH * 4; i++) {
      double[] rows = ranks.get(i / (half * 4)).get(2);
      assertEquals(whole.get(2)[i], rows[i % (half * 4)], 1e-14);
    }
    for (int row = 0; row < 3; row++) {
      for (int i = 0; i < WIDTH; i++) {
        double[] columns = ranks.get(i / half).get(3);
        assertEquals(whole.get(3)[row * WIDTH + i], columns[row * half + i % half], 1e-14);
      }
    }
  }

  private static List<double[]> halfABlock(Communicator communicator) {
    int half = WIDTH / 2;
    int from = communicator.rank() * half;
    List<double[]> numbers = new ArrayList<>();
    try (PointerScope scope = new PointerScope();
        SumOfGradients f = new SumOfGradients(communicator)) {
      JitModule first = layer("torch.linear(x, self.w)", values(0.9, 4, 4));
      Tensor rows = values(0.7, WIDTH, 4).narrow(0, from, half);
      JitModule up = layer("torch.tanh(torch.linear(x, self.w))", rows);
      Tensor columns = values(0.3, 3, WIDTH).narrow(1, from, half);
      JitModule down = layer("torch.linear(x, self.w)", columns);
      JitModule last = layer("torch.tanh(torch.linear(x, self.w))", values(0.5, 2, 3));
      Tensor shared = run(first, values(1.3, 5, 4));
      shared.register_hook(f);
      Tensor partial = run(down, run(up, shared));
      sumInPlace(partial, communicator);
      Tensor output = run(last, partial);
      output.sum().backward();
      numbers.add(doubles(output));
      for (JitModule module : List.of(first, up, down, last)) {
        numbers.add(doubles(gradient(module)));
      }
    }
    return numbers;
  }

  @Test
  void aStageThatIsRunAgainUnderTheGeneratorsStateHasTheGradientsOfTheFirstRunBitForBit() {
    try (PointerScope scope = new PointerScope()) {
      Tensor inputs = values(1.3, 50, 4);
      Tensor gradient = values(0.4, 50, 4);
      JitModule stage =
          layer("torch.dropout(torch.tanh(torch.linear(x, self.w)), 0.5, True)", values(0.9, 4, 4));
      Generator generator = torch.getDefaultCPUGenerator();
      Tensor before = generator.get_state().clone();

      Tensor kept = run(stage, inputs);
      backward(kept, gradient);
      double[] expected = doubles(gradient(stage));
      stage.attr("w").toTensor().mutable_grad().reset();

      generator.set_state(before);
      Tensor forgotten;
      try (NoGradGuard guard = new NoGradGuard()) {
        forgotten = run(stage, inputs);
      }
      Tensor after = generator.get_state().clone();
      torch.rand(7); // what other stages draw meanwhile
      generator.set_state(before);
      Tensor again = run(stage, inputs);
      generator.set_state(after);
      backward(again, gradient);
      assertArrayEquals(doubles(kept), doubles(forgotten));
      assertArrayEquals(expected, doubles(gradient(stage)));

      stage.attr("w").toTensor().mutable_grad().reset();
      backward(run(stage, inputs), gradient);
      assertNotEquals(expected[0], doubles(gradient(stage))[0]);
    }
  }
}
