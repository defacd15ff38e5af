package dev.lockstep.model;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.JitModule;
import org.bytedeco.pytorch.named_module_iterator;
import org.bytedeco.pytorch.named_module_list;

/**
 * A forward pass that is nothing but submodules one after another, as that of {@code
 * torch.nn.Sequential}: each takes one tensor, which is what the one before gave.
 *
 * <p>Read from TorchScript's textual form of the graph, because the presets do not give the names
 * in a graph's nodes.
 */
final class SubmoduleChain {
  private static final Pattern SELF_AND_INPUT =
      Pattern.compile("graph\\(%(\\S+) : \\S+,\\s+%(\\S+) : Tensor\\):");
  private static final Pattern SUBMODULE =
      Pattern.compile("%(\\S+) : __torch__\\S+ = prim::GetAttr\\[name=\"(.+)\"]\\(%(\\S+)\\).*");
  private static final Pattern CALL =
      Pattern.compile(
          "%(\\S+) : Tensor = prim::CallMethod\\[name=\"forward\"]\\(%(\\S+), %(\\S+)\\).*");
  private static final Pattern CONSTANT = Pattern.compile("%\\S+ : .* = prim::Constant.*");
  private static final Pattern RETURN = Pattern.compile("return \\(%(\\S+)\\)");

  private SubmoduleChain() {}

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

  /** The names of the submodules in their order; empty if the module is no such chain. */
  static List<String> of(JitModule module) {
    try (PointerScope scope = new PointerScope()) {
      return parse(forwardGraph(module));
    }
  }

  private static List<String> parse(String graph) {
    Matcher inputs = SELF_AND_INPUT.matcher(graph);
    if (!inputs.find()) {
      return List.of();
    }
    String self = inputs.group(1);
    String current = inputs.group(2);
    Map<String, String> submodules = new HashMap<>();
    List<String> chain = new ArrayList<>();
    for (String line : graph.substring(inputs.end()).lines().map(String::strip).toList()) {
      Matcher submodule = SUBMODULE.matcher(line);
      Matcher call = CALL.matcher(line);
      Matcher result = RETURN.matcher(line);
      if (submodule.matches() && submodule.group(3).equals(self)) {
        submodules.put(submodule.group(1), submodule.group(2));
      } else if (call.matches()
          && submodules.containsKey(call.group(2))
          && call.group(3).equals(current)) {
        chain.add(submodules.get(call.group(2)));
        current = call.group(1);
      } else if (result.matches()) {
        return result.group(1).equals(current) ? chain : List.of();
      } else if (!line.isEmpty() && !CONSTANT.matcher(line).matches()) {
        return List.of();
      }
    }
    return List.of();
  }

  /** A submodule; the caller closes it. */
  static Optional<JitModule> child(JitModule module, String name) {
    try (PointerScope scope = new PointerScope()) {
      named_module_list children = module.named_children();
      named_module_iterator end = children.end();
      for (named_module_iterator i = children.begin(); i.notEquals(end); i.increment()) {
        if (i.access().name().getString().equals(name)) {
          JitModule child = new JitModule(i.access().value());
          child.retainReference();
          return Optional.of(child);
        }
      }
    }
    return Optional.empty();
  }
}
