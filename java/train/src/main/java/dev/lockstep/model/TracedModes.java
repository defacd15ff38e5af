package dev.lockstep.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Graph;
import org.bytedeco.pytorch.IValueOptional;
import org.bytedeco.pytorch.JitModule;
import org.bytedeco.pytorch.JitNode;
import org.bytedeco.pytorch.MethodOptional;
import org.bytedeco.pytorch.Value;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.graph_node_list;
import org.bytedeco.pytorch.graph_node_list_iterator;
import org.bytedeco.pytorch.named_module_iterator;
import org.bytedeco.pytorch.named_module_list;

/**
 * Makes a traced module follow {@code train()} and {@code eval()}.
 *
 * <p>{@code torch.jit.trace} writes down whether the module was in training as a constant, so that
 * a module traced in training normalises by the batch and drops units in evaluation, too: what it
 * predicts for a sample then depends on the others. In layers of {@code torch.nn}, which all follow
 * the mode, the constant is replaced by the layer's attribute {@code training}.
 */
final class TracedModes {
  private static final Pattern LAYER =
      Pattern.compile("__torch__\\.torch\\.nn\\.modules\\.(batchnorm|dropout|activation|rnn)\\..*");

  /** Operators that take the mode, and which of their inputs it is. */
  private static final Map<String, Integer> MODE_INPUT =
      Map.of(
          "aten::batch_norm", 5,
          "aten::dropout", 2,
          "aten::feature_dropout", 2,
          "aten::alpha_dropout", 2,
          "aten::feature_alpha_dropout", 2,
          "aten::rrelu", 3,
          "aten::lstm", 6,
          "aten::gru", 6,
          "aten::rnn_tanh", 6,
          "aten::rnn_relu", 6);

  private TracedModes() {}

  /** Replaces the constants; returns the names of the layers in which there were any. */
  static List<String> follow(JitModule module) {
    List<String> changed = new ArrayList<>();
    try (PointerScope scope = new PointerScope()) {
      named_module_list modules = module.named_modules();
      named_module_iterator end = modules.end();
      for (named_module_iterator i = modules.begin(); i.notEquals(end); i.increment()) {
        JitModule layer = i.access().value();
        String type = layer.type().name().get().qualifiedName().getString();
        MethodOptional forward = layer.find_method("forward");
        if (LAYER.matcher(type).matches()
            && layer.hasattr("training")
            && forward.has_value()
            && follow(forward.get().graph())) {
          changed.add(i.access().name().getString());
        }
      }
    }
    return changed;
  }

  private static boolean follow(Graph graph) {
    boolean changed = false;
    Value self = graph.inputs().at(0);
    graph_node_list nodes = graph.nodes();
    JitNode end = nodes.end().access();
    for (graph_node_list_iterator i = nodes.begin(); !i.access().equals(end); i.increment()) {
      JitNode node = i.access();
      Integer input = MODE_INPUT.get(node.kind().toQualString().getString());
      if (input == null || !isTrue(node.input(input))) {
        continue;
      }
      JitNode mode = graph.createGetAttr(self, "training");
      mode.insertBefore(node);
      node.replaceInput(input, mode.output());
      changed = true;
    }
    return changed;
  }

  private static boolean isTrue(Value value) {
    IValueOptional constant = torch.toIValue(value);
    return constant.has_value() && constant.get().isBool() && constant.get().toBool();
  }
}
