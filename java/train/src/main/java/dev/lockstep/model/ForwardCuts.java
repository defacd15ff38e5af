package dev.lockstep.model;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Graph;
import org.bytedeco.pytorch.JitModule;
import org.bytedeco.pytorch.JitNode;
import org.bytedeco.pytorch.MethodOptional;
import org.bytedeco.pytorch.Value;
import org.bytedeco.pytorch.graph_node_list;
import org.bytedeco.pytorch.graph_node_list_iterator;

/**
 * Where a forward pass can be cut around calls of submodules: before and after the call nothing but
 * one tensor, the call's argument and its result, is still needed. What lies between such calls, as
 * {@code torch.tanh(x)}, is a segment of the module's own code.
 *
 * <p>The names of submodules come from TorchScript's text of the graph, because the presets do not
 * give those in a graph's nodes.
 */
final class ForwardCuts {
  /**
   * A part of a forward pass.
   *
   * @param submodule whose forward is called; empty for a segment of the module's own code
   * @param from the segment's first operation
   * @param to the one after its last
   */
  record Element(String submodule, int from, int to) {}

  private static final Pattern SELF = Pattern.compile("graph\\(%(\\S+) : ");
  private static final Pattern SUBMODULE =
      Pattern.compile("%(\\S+) : __torch__\\S+ = prim::GetAttr\\[name=\"(.+)\"]\\(%(\\S+)\\).*");
  private static final Pattern ATTRIBUTE =
      Pattern.compile("%(\\S+) : \\S.* = prim::GetAttr\\[name=\"(.+)\"]\\(%(\\S+)\\).*");
  private static final Pattern CALL =
      Pattern.compile(
          "%(\\S+) : Tensor = prim::CallMethod\\[name=\"forward\"]\\(%(\\S+), %(\\S+)\\).*");

  /** What reads the module and may stand on both sides of a cut. */
  private static final Set<String> FREE = Set.of("prim::Constant", "prim::GetAttr");

  /** What computes from its inputs alone. */
  private static final Pattern PURE =
      Pattern.compile(
          "aten::.*|prim::(CallMethod|CallFunction|ListConstruct|TupleConstruct|ListUnpack"
              + "|TupleUnpack|NumToTensor|dtype|device)");

  private final Graph graph;
  private final List<JitNode> operations = new ArrayList<>();

  /** The operation that gives a value, by the value's number; −1 for the input. */
  private final Map<Long, Integer> definedAt = new HashMap<>();

  private final Map<Long, Integer> lastUsedAt = new HashMap<>();
  private final Map<Long, Value> values = new HashMap<>();
  private boolean cuttable;

  private ForwardCuts(Graph graph) {
    this.graph = graph;
    cuttable = graph.inputs().size() == 2 && graph.outputs().size() == 1;
    if (!cuttable) {
      return;
    }
    define(graph.inputs().at(1), -1);
    graph_node_list nodes = graph.nodes();
    JitNode end = nodes.end().access();
    for (graph_node_list_iterator i = nodes.begin(); !i.access().equals(end); i.increment()) {
      add(i.access());
    }
    lastUsedAt.put(graph.outputs().at(0).unique(), operations.size());
  }

  private void add(JitNode node) {
    String kind = node.kind().toQualString().getString();
    if (FREE.contains(kind)) {
      return;
    }
    cuttable &= PURE.matcher(kind).matches();
    int index = operations.size();
    operations.add(node);
    for (long i = 0; i < node.inputs().size(); i++) {
      lastUsedAt.put(node.inputs().at(i).unique(), index);
    }
    for (long i = 0; i < node.outputs().size(); i++) {
      define(node.outputs().at(i), index);
    }
  }

  private void define(Value value, int index) {
    definedAt.put(value.unique(), index);
    values.put(value.unique(), value);
  }

  /** The values that are needed from an operation on and come from before it. */
  private List<Value> live(int operation) {
    List<Value> live = new ArrayList<>();
    definedAt.forEach(
        (value, at) -> {
          if (at < operation && lastUsedAt.getOrDefault(value, -1) >= operation) {
            live.add(values.get(value));
          }
        });
    return live;
  }

  private boolean isAlone(int operation, String name) {
    List<Value> live = live(operation);
    return live.size() == 1 && live.get(0).debugName().getString().equals(name);
  }

  /** The text of a module's forward graph; empty if it has no forward. */
  static String forwardGraph(JitModule module) {
    String text = module.dump_to_str(true, false, false).getString();
    int begin = text.indexOf("\n    method forward {\n");
    int end = text.indexOf("\n        return (", begin);
    if (begin < 0 || end < 0) {
      return "";
    }
    int line = text.indexOf('\n', end + 1);
    return text.substring(begin, line < 0 ? text.length() : line);
  }

  /** The parts in their order; empty if no call of a submodule can be cut out. */
  static List<Element> of(JitModule module) {
    try (PointerScope scope = new PointerScope()) {
      MethodOptional forward = module.find_method("forward");
      if (!forward.has_value()) {
        return List.of();
      }
      ForwardCuts cuts = new ForwardCuts(forward.get().graph());
      return cuts.cuttable ? cuts.elements(forwardGraph(module)) : List.of();
    }
  }

  private List<Element> elements(String text) {
    Matcher self = SELF.matcher(text);
    if (!self.find()) {
      return List.of();
    }
    Map<String, String> submodules = new HashMap<>();
    Map<String, Matcher> calls = new HashMap<>();
    for (String line : text.lines().map(String::strip).toList()) {
      Matcher submodule = SUBMODULE.matcher(line);
      Matcher call = CALL.matcher(line);
      if (submodule.matches() && submodule.group(3).equals(self.group(1))) {
        submodules.put(submodule.group(1), submodule.group(2));
      } else if (call.matches()) {
        calls.put(call.group(1), call);
      }
    }
    List<Element> elements = new ArrayList<>();
    int from = 0;
    for (int i = 0; i < operations.size(); i++) {
      JitNode operation = operations.get(i);
      Matcher call =
          operation.outputs().size() == 1
              ? calls.get(operation.output().debugName().getString())
              : null;
      if (call == null
          || !submodules.containsKey(call.group(2))
          || !isAlone(i, call.group(3))
          || !isAlone(i + 1, call.group(1))) {
        continue;
      }
      if (from < i) {
        elements.add(new Element("", from, i));
      }
      elements.add(new Element(submodules.get(call.group(2)), i, i + 1));
      from = i + 1;
    }
    if (!elements.isEmpty() && from < operations.size()) {
      elements.add(new Element("", from, operations.size()));
    }
    return elements;
  }

  /**
   * The names of the module's attributes that its forward pass uses; empty where it hands the whole
   * module on, as to a method of its own.
   */
  static Optional<Set<String>> attributesRead(JitModule module) {
    String text = forwardGraph(module);
    Matcher self = SELF.matcher(text);
    Set<String> read = new TreeSet<>();
    if (!self.find()) {
      return Optional.empty();
    }
    List<String> lines = text.substring(self.end()).lines().map(String::strip).toList();
    for (String line : lines) {
      Matcher attribute = ATTRIBUTE.matcher(line);
      boolean ofSelf = attribute.matches() && attribute.group(3).equals(self.group(1));
      if (ofSelf && lines.stream().anyMatch(other -> uses(other, attribute.group(1), line))) {
        read.add(attribute.group(2));
      } else if (!ofSelf && uses(line, self.group(1), "")) {
        return Optional.empty();
      }
    }
    return Optional.of(read);
  }

  /** Whether a line other than the one that defines a value has it among its operands. */
  private static boolean uses(String line, String value, String definition) {
    return !line.equals(definition)
        && Pattern.compile("%" + Pattern.quote(value) + "(?![\\w.])").matcher(line).find();
  }

  /**
   * A segment of a module's code as a module of its own, which shares the module's tensors; the
   * caller closes it.
   */
  static JitModule segment(JitModule module, Element segment) {
    try (PointerScope scope = new PointerScope()) {
      JitModule own = module.clone(false);
      Submodules.share(module, own);
      new ForwardCuts(own.get_method("forward").graph()).keep(segment.from(), segment.to());
      own.retainReference();
      return own;
    }
  }

  private void keep(int from, int to) {
    int end = operations.size();
    if (to < end) {
      Value result = live(to).get(0);
      graph.eraseOutput(0);
      graph.registerOutput(result);
    }
    if (from > 0) {
      live(from).get(0).replaceAllUsesWith(graph.inputs().at(1));
    }
    for (int i = end - 1; i >= to; i--) {
      operations.get(i).destroy();
    }
    for (int i = from - 1; i >= 0; i--) {
      operations.get(i).destroy();
    }
  }
}
