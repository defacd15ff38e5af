package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lockstep.comm.Communicator;
import dev.lockstep.model.Model;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.train.OptimizerConfig.Type;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatLayout.Slot;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.ParameterRange;
import dev.lockstep.train.optimizer.LocalOptimizer;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Adam;
import org.bytedeco.pytorch.AdamOptions;
import org.bytedeco.pytorch.AdamW;
import org.bytedeco.pytorch.AdamWOptions;
import org.bytedeco.pytorch.SGD;
import org.bytedeco.pytorch.SGDOptions;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The fused optimisers take libtorch's own steps. */
@Timeout(240)
class OptimizerTest {
  private static final int STEPS = 20;

  private static OptimizerConfig config(
      Type type, double momentum, boolean nesterov, double weightDecay) {
    return OptimizerConfig.of(type, 0.01, momentum, nesterov, null, weightDecay, null, null, null);
  }

  /** Makes libtorch's optimiser of the parameters. */
  private interface Reference {
    org.bytedeco.pytorch.Optimizer of(TensorVector parameters);
  }

  private static void assertSameSteps(OptimizerConfig config, Reference reference) {
    torch.manual_seed(5);
    try (PointerScope scope = new PointerScope();
        Communicator alone = Communicator.single();
        Model model = Model.mlp(ModelConfig.of(null, List.of(9), null, null, null), 4, 2, 1);
        FlatParameters parameters = new FlatParameters(model, alone);
        LocalOptimizer optimizer = new LocalOptimizer(config, parameters)) {
      TensorVector copies = new TensorVector();
      model
          .parameters()
          .forEach(p -> copies.push_back(p.tensor().detach().clone().set_requires_grad(true)));
      org.bytedeco.pytorch.Optimizer theirs = reference.of(copies);
      for (int step = 0; step < STEPS; step++) {
        for (int i = 0; i < copies.size(); i++) {
          Tensor gradient = torch.randn_like(copies.get(i));
          copies.get(i).mutable_grad().put(gradient);
          parameters.gradients().view(parameters.layout().slots().get(i)).copy_(gradient);
        }
        theirs.step();
        optimizer.apply(parameters.layout().everything(), config.learningRate(), 1);
      }
      for (int i = 0; i < copies.size(); i++) {
        Tensor expected = copies.get(i).detach();
        Tensor found = model.parameters().get(i).tensor().detach();
        double error = found.sub(expected).norm().item_double() / expected.norm().item_double();
        assertEquals(0, error, 1e-6, "parameter " + i);
      }
    }
  }

  /** A step of one element type alone, then one of none: what they leave out counts neither. */
  @Test
  void whatAStepLeavesOutDoesNotCountIt(@TempDir Path folder) {
    OptimizerConfig config = config(Type.ADAM, 0, false, 0);
    try (PointerScope scope = new PointerScope();
        Communicator alone = Communicator.single();
        Model model = Model.load(TestModels.dropoutAndTwoTypes(folder.resolve("types.pt")));
        FlatParameters parameters = new FlatParameters(model, alone);
        LocalOptimizer optimizer = new LocalOptimizer(config, parameters)) {
      List<ParameterRange> all = parameters.layout().everything();
      assertEquals(2, all.size());
      for (List<ParameterRange> step : List.of(all, all.subList(1, 2), List.<ParameterRange>of())) {
        optimizer.apply(step, config.learningRate(), 1);
      }
      TrainingState state = new TrainingState();
      optimizer.declare(state);
      assertEquals(
          Map.of(all.get(0).group(), 1L, all.get(1).group(), 2L),
          stepsByGroup(parameters, state.values().get("optimizer_steps")));
    }
  }

  /** Some tensors' parts before the others': in steps of all tensors, and in one of a few. */
  @Test
  void aStepThatIsTakenInPartsHasTheBitsOfAWholeOne() {
    assertEquals(steps(false), steps(true));
  }

  /** All parameters and state after four steps. */
  private static List<List<Float>> steps(boolean ahead) {
    torch.manual_seed(5);
    OptimizerConfig config = config(Type.ADAM, 0, false, 0.1);
    try (PointerScope scope = new PointerScope();
        Communicator alone = Communicator.single();
        Model model = Model.mlp(ModelConfig.of(null, List.of(9, 7), null, null, null), 4, 2, 1);
        FlatParameters parameters = new FlatParameters(model, alone);
        LocalOptimizer optimizer = new LocalOptimizer(config, parameters)) {
      List<Slot> slots = parameters.layout().slots();
      List<ParameterRange> everything = parameters.layout().everything();
      List<ParameterRange> some = List.of(range(slots, 1, 3));
      for (List<ParameterRange> owned : List.of(everything, some, everything, everything)) {
        for (Slot slot : slots) {
          Tensor gradient = parameters.gradients().view(slot);
          gradient.copy_(torch.randn_like(gradient));
        }
        if (ahead) {
          optimizer.applyAhead(range(slots, 3, 3), config.learningRate());
          optimizer.applyAhead(range(slots, 1, 2), config.learningRate());
        }
        optimizer.apply(owned, config.learningRate(), 1);
      }
      List<List<Float>> found = new ArrayList<>();
      found.add(floats(parameters.values()));
      optimizer.state().values().forEach(state -> found.add(floats(state)));
      return found;
    }
  }

  private static ParameterRange range(List<Slot> slots, int first, int last) {
    long from = slots.get(first).offset();
    return new ParameterRange(0, from, slots.get(last).offset() + slots.get(last).count() - from);
  }

  private static List<Float> floats(FlatBuffers flat) {
    List<Float> all = new ArrayList<>();
    for (Slot slot : flat.layout().slots()) {
      FloatBuffer values = flat.view(slot).contiguous().createBuffer();
      while (values.hasRemaining()) {
        all.add(values.get());
      }
    }
    return all;
  }

  private static Map<Integer, Long> stepsByGroup(FlatParameters parameters, JsonNode steps) {
    Map<Integer, Long> byGroup = new TreeMap<>();
    for (int i = 0; i < parameters.count(); i++) {
      byGroup.put(parameters.layout().slots().get(i).group(), steps.get(i).asLong());
    }
    return byGroup;
  }

  @Test
  void sgd() {
    assertSameSteps(config(Type.SGD, 0, false, 0.1), p -> new SGD(p, sgd(0, false)));
  }

  @Test
  void sgdWithMomentum() {
    assertSameSteps(config(Type.SGD, 0.9, false, 0.1), p -> new SGD(p, sgd(0.9, false)));
  }

  @Test
  void sgdWithNesterovsMomentum() {
    assertSameSteps(config(Type.SGD, 0.9, true, 0.1), p -> new SGD(p, sgd(0.9, true)));
  }

  private static SGDOptions sgd(double momentum, boolean nesterov) {
    SGDOptions options = new SGDOptions(0.01);
    options.momentum().put(momentum);
    options.nesterov().put(nesterov);
    options.weight_decay().put(0.1);
    return options;
  }

  @Test
  void adam() {
    AdamOptions options = new AdamOptions(0.01);
    options.weight_decay().put(0.1);
    assertSameSteps(config(Type.ADAM, 0, false, 0.1), p -> new Adam(p, options));
  }

  @Test
  void adamW() {
    AdamWOptions options = new AdamWOptions(0.01);
    options.weight_decay().put(0.1);
    assertSameSteps(config(Type.ADAMW, 0, false, 0.1), p -> new AdamW(p, options));
  }
}
