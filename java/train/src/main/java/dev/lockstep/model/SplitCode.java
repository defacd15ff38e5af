package dev.lockstep.model;

import dev.lockstep.checkpoint.TensorSlice;
import dev.lockstep.model.BlockCode.SlicedParameter;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.bytedeco.javacpp.PointerScope;

/** What a stage computes, as far as it matters for cutting its width; read from its graph. */
final class SplitCode {
  private static final Pattern OPERATION = Pattern.compile(" = (\\w+::\\w+)");
  private static final Pattern FUNCTION =
      Pattern.compile("%(\\S+) : Function = prim::Constant\\[name=\"(\\w+)\"]");
  private static final Pattern CALL = Pattern.compile("prim::CallFunction\\(%([^,)]+)");
  private static final Pattern ATTRIBUTE =
      Pattern.compile("%(\\S+) : Tensor = prim::GetAttr\\[name=\"(\\w+)\"]\\(%\\S+\\)");
  private static final Pattern LINEAR =
      Pattern.compile("aten::linear\\(%(\\S+), %(\\S+), %(\\S+)\\)");

  private static final Pattern EMBEDDING =
      Pattern.compile("aten::embedding\\(%(\\S+), %\\S+, %(\\S+), %(\\S+), %(\\S+)\\)");

  /** As torch.nn.Embedding is scripted: input, weight, padding, norm, its power, scale, sparse. */
  private static final Pattern EMBEDDING_CALL =
      Pattern.compile(
          "prim::CallFunction\\(%\\S+, %\\S+, %(\\S+), %(\\S+), %(\\S+), %\\S+, %(\\S+),"
              + " %(\\S+)\\)");

  /** Operations whose numbers depend on the numbers of the same place alone. */
  private static final Set<String> ELEMENTWISE =
      Set.of(
          "relu",
          "relu_",
          "relu6",
          "gelu",
          "silu",
          "silu_",
          "elu",
          "elu_",
          "selu",
          "celu",
          "mish",
          "leaky_relu",
          "leaky_relu_",
          "hardtanh",
          "hardtanh_",
          "hardswish",
          "hardsigmoid",
          "softplus",
          "softsign",
          "tanh",
          "tanh_",
          "sigmoid",
          "sigmoid_",
          "dropout",
          "dropout_");

  /** What reads the module, and does nothing else. */
  private static final Set<String> FREE = Set.of("prim::Constant", "prim::GetAttr");

  private final String graph;
  private final List<String> operations;

  private SplitCode(String graph) {
    this.graph = graph;
    operations =
        OPERATION
            .matcher(graph)
            .results()
            .map(result -> result.group(1))
            .filter(operation -> !FREE.contains(operation))
            .toList();
  }

  static SplitCode of(Stage stage) {
    try (PointerScope scope = new PointerScope()) {
      return new SplitCode(ForwardCuts.forwardGraph(stage.module()));
    }
  }

  /**
   * The names of weight and bias of a stage that is nothing but a linear map of its input; the
   * bias's is empty if there is none. What else is added, as a constant, every rank would add.
   */
  Optional<List<String>> linear() {
    Matcher call = LINEAR.matcher(graph);
    if (!operations.equals(List.of("aten::linear")) || !call.find()) {
      return Optional.empty();
    }
    Map<String, String> attributes = attributes();
    String weight = attributes.get(call.group(2));
    String bias = isNone(call.group(3)) ? "" : attributes.get(call.group(3));
    return weight == null || bias == null || attributes.containsKey(call.group(1))
        ? Optional.empty()
        : Optional.of(List.of(weight, bias));
  }

  /**
   * The name of the weight of a stage that is nothing but a look-up in a table, whose rows all
   * train alike and which has dense gradients.
   */
  Optional<String> embedding() {
    Map<String, String> attributes = attributes();
    Matcher direct = EMBEDDING.matcher(graph);
    if (operations.equals(List.of("aten::embedding")) && direct.find()) {
      boolean plain = is(direct.group(2), "-1") && areFalse(direct.group(3), direct.group(4));
      return plain ? Optional.ofNullable(attributes.get(direct.group(1))) : Optional.empty();
    }
    Matcher call = EMBEDDING_CALL.matcher(graph);
    if (operations.equals(List.of("prim::CallFunction"))
        && functions().containsValue("embedding")
        && call.find()) {
      boolean plain =
          isNone(call.group(2)) && isNone(call.group(3)) && areFalse(call.group(4), call.group(5));
      return plain ? Optional.ofNullable(attributes.get(call.group(1))) : Optional.empty();
    }
    return Optional.empty();
  }

  private boolean areFalse(String first, String second) {
    return is(first, "0") && is(second, "0");
  }

  private boolean is(String value, String constant) {
    return graph.contains("%" + value + " : int = prim::Constant[value=" + constant + "]()")
        || graph.contains("%" + value + " : bool = prim::Constant[value=" + constant + "]()");
  }

  private boolean isNone(String value) {
    return graph.contains("%" + value + " : NoneType = ");
  }

  private Map<String, String> attributes() {
    return named(ATTRIBUTE);
  }

  private Map<String, String> functions() {
    return named(FUNCTION);
  }

  /** Names by the value that has them. */
  private Map<String, String> named(Pattern definition) {
    Map<String, String> names = new HashMap<>();
    Matcher found = definition.matcher(graph);
    while (found.find()) {
      names.put(found.group(1), found.group(2));
    }
    return names;
  }

  /** Whether it computes each number from the number of the same place alone. */
  boolean isElementwise() {
    Map<String, String> functions = functions();
    Set<String> called =
        CALL.matcher(graph)
            .results()
            .map(call -> functions.getOrDefault(call.group(1), call.group(1)))
            .collect(Collectors.toSet());
    return ELEMENTWISE.containsAll(called)
        && operations.stream()
            .allMatch(
                operation ->
                    operation.equals("prim::CallFunction")
                        || (operation.startsWith("aten::")
                            && ELEMENTWISE.contains(operation.substring("aten::".length()))));
  }

  /** The code of a stage that is a linear map, as one that takes slices of its inputs. */
  static BlockCode taking(String weight, String bias) {
    return new BlockCode("", "", "y", List.of(new SlicedParameter(weight, 1, 1, 1)), bias);
  }

  /**
   * The code of a look-up in the rows that a rank has; others' rows are zeros, those that no rank
   * has an error, as in the whole table.
   */
  static BlockCode lookingUp(String weight, TensorSlice rows) {
    String code =
        """
        assert bool(((y >= 0) & (y < ROWS)).all()), "an index is not one of the ROWS rows of WEIGHT"
        local = y - FROM
        own = (local >= 0) & (local < COUNT)
        y = torch.embedding(self.WEIGHT, torch.where(own, local, torch.zeros_like(local)))
        y = y * own.unsqueeze(-1)
        """
            .replace("ROWS", Long.toString(rows.length()))
            .replace("FROM", Long.toString(rows.from()))
            .replace("COUNT", Long.toString(rows.count()))
            .replace("WEIGHT", weight);
    return new BlockCode("", code, "y", List.of(), "");
  }
}
