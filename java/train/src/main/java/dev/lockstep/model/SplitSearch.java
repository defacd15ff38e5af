package dev.lockstep.model;

import static java.util.Objects.requireNonNull;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.model.BlockCode.SlicedParameter;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Finds the layers of a model that ranks can compute together. */
final class SplitSearch {
  private static final String COLUMN = "strategy.tensor.column";
  private static final String ROW = "strategy.tensor.row";

  /**
   * Parts of a model that are computed together.
   *
   * @param first index of the first stage
   * @param last index of the last one
   * @param code of the last one, or of both where they are one
   * @param sliced all parameters that are cut, by their name in the model
   * @param added the parameter that one rank alone has and adds; empty for none
   */
  record Block(
      int first, int last, BlockCode code, Map<String, SlicedParameter> sliced, String added) {}

  private final Model model;
  private final List<Stage> stages;
  private final List<SplitCode> codes = new ArrayList<>();
  private final Set<String> shared;

  SplitSearch(Model model) {
    this.model = model;
    stages = model.stages();
    stages.forEach(stage -> codes.add(SplitCode.of(stage)));
    shared = sharedParameters();
  }

  /** The parameters that several stages use, or that other tensors are views of. */
  private Set<String> sharedParameters() {
    int[] uses = new int[model.parameters().size()];
    stages.forEach(
        stage -> TensorUse.of(model, stage).parameters().stream().forEach(i -> uses[i]++));
    Set<String> names = new HashSet<>();
    for (int i = 0; i < uses.length; i++) {
      ModelTensor parameter = model.parameters().get(i);
      if (uses[i] > 1 || !parameter.views().isEmpty()) {
        names.add(parameter.name());
      }
    }
    return names;
  }

  /** The parameters that no block may cut, because other layers use them, too. */
  Set<String> shared() {
    return shared;
  }

  /** As many as there are, the first possible ones first. */
  List<Block> all() {
    List<Block> found = new ArrayList<>();
    for (int i = 0; i < stages.size(); i++) {
      Block block = block(i);
      if (block != null) {
        found.add(block);
        i = block.last();
      }
    }
    return found;
  }

  private @Nullable Block block(int first) {
    if (isWhole(first)) {
      return whole(first);
    }
    if (isTable(first)) {
      return table(first);
    }
    if (!isLinear(first)) {
      return null;
    }
    int last = first + 1;
    while (last < stages.size() && codes.get(last).isElementwise()) {
      last++;
    }
    return last < stages.size() && isLinear(last) ? pair(first, last) : null;
  }

  /** Whether the stage is a built-in block that widens and narrows again. */
  private boolean isWhole(int stage) {
    BlockCode code = model.blocks().get(stages.get(stage).name());
    return code != null && !code.enter().isEmpty() && isFree(stage, code.sliced(), code.added());
  }

  private Block whole(int stage) {
    String block = stages.get(stage).name();
    BlockCode code = requireNonNull(model.blocks().get(block), block);
    Map<String, SlicedParameter> sliced = new LinkedHashMap<>();
    code.sliced().forEach(each -> sliced.put(name(stage, each.name()), each));
    return new Block(stage, stage, code, sliced, name(stage, code.added()));
  }

  private boolean isTable(int stage) {
    return codes.get(stage).embedding().map(name -> isFree(name(stage, name))).orElse(false);
  }

  /** A table whose rows are shared out. */
  private Block table(int stage) {
    String weight = codes.get(stage).embedding().orElseThrow();
    BlockCode none = new BlockCode("", "", "y", List.of(), "");
    SlicedParameter rows = new SlicedParameter(weight, 0, 1, 1);
    return new Block(stage, stage, none, Map.of(name(stage, weight), rows), "");
  }

  /** The code of a stage that begins with a linear map; null if it is none. */
  private @Nullable BlockCode linear(int stage) {
    BlockCode code = model.blocks().get(stages.get(stage).name());
    if (code != null) {
      return code.enter().isEmpty() ? code : null;
    }
    return codes
        .get(stage)
        .linear()
        .map(names -> SplitCode.taking(names.get(0), names.get(1)))
        .orElse(null);
  }

  private boolean isLinear(int stage) {
    BlockCode code = linear(stage);
    return code != null && isFree(stage, code.sliced(), code.added());
  }

  private boolean isFree(int stage, List<SlicedParameter> sliced, String added) {
    return sliced.stream().allMatch(each -> isFree(name(stage, each.name())))
        && (added.isEmpty() || isFree(name(stage, added)));
  }

  private boolean isFree(String parameter) {
    return !shared.contains(parameter)
        && model.parameters().stream().anyMatch(each -> each.name().equals(parameter));
  }

  private String name(int stage, String parameter) {
    String prefix = stages.get(stage).name();
    return prefix.isEmpty() ? parameter : prefix + "." + parameter;
  }

  private Block pair(int first, int last) {
    BlockCode giving = linear(first);
    BlockCode taking = linear(last);
    if (taking == null) {
      throw new IllegalStateException(stages.get(last) + " is no linear map");
    }
    Map<String, SlicedParameter> sliced = new LinkedHashMap<>();
    if (giving == null) {
      String table = codes.get(first).embedding().orElseThrow();
      sliced.put(name(first, table), new SlicedParameter(table, 1, 1, 1));
    } else {
      String weight = giving.sliced().get(0).name();
      sliced.put(name(first, weight), new SlicedParameter(weight, 0, 1, 1));
      if (!giving.added().isEmpty()) {
        sliced.put(name(first, giving.added()), new SlicedParameter(giving.added(), 0, 1, 1));
      }
    }
    taking.sliced().forEach(each -> sliced.put(name(last, each.name()), each));
    String added = taking.added().isEmpty() ? "" : name(last, taking.added());
    return new Block(first, last, taking, sliced, added);
  }

  /** The blocks that begin and end with the named layers. */
  List<Block> named(List<String> column, List<String> row) {
    Set<String> rows = new HashSet<>(row);
    List<Block> found = new ArrayList<>();
    for (String name : column) {
      int first = index(COLUMN, name);
      if (isWhole(first)) {
        throw new ConfigKeyException(
            COLUMN,
            "names "
                + name
                + ", a block of the built-in transformer, which is cut as a whole; leave"
                + " strategy.tensor out.");
      }
      if (!isTable(first)) {
        requireLinear(COLUMN, first);
      }
      int last = first + 1;
      while (last < stages.size() && codes.get(last).isElementwise()) {
        last++;
      }
      if (last == stages.size() || !rows.remove(stages.get(last).name())) {
        throw new ConfigKeyException(
            COLUMN,
            "names "
                + name
                + ", but the next layer that is not elementwise, "
                + (last == stages.size() ? "of which there is none" : stages.get(last).name())
                + ", is not in strategy.tensor.row: its inputs would be on several ranks.");
      }
      requireLinear(ROW, last);
      found.add(pair(first, last));
    }
    for (String name : rows) {
      int stage = index(ROW, name);
      if (isTable(stage)) {
        found.add(table(stage));
        continue;
      }
      throw new ConfigKeyException(
          ROW,
          "names "
              + name
              + ", but no layer of strategy.tensor.column with only elementwise ones between"
              + " comes before it: it would not get slices.");
    }
    return inOrder(found);
  }

  private static List<Block> inOrder(List<Block> found) {
    List<Block> blocks = new ArrayList<>(found);
    blocks.sort((a, b) -> Integer.compare(a.first(), b.first()));
    for (int i = 1; i < blocks.size(); i++) {
      if (blocks.get(i).first() <= blocks.get(i - 1).last()) {
        throw new ConfigKeyException(
            COLUMN, "and strategy.tensor.row name a layer twice; its width can be cut once.");
      }
    }
    return blocks;
  }

  private int index(String key, String name) {
    int index = model.stageNames().indexOf(name);
    if (index < 0) {
      throw new ConfigKeyException(
          key, "names " + name + ", but the model has the layers " + model.stageNames() + ".");
    }
    return index;
  }

  private void requireLinear(String key, int stage) {
    String name = stages.get(stage).name();
    if (linear(stage) == null) {
      throw new ConfigKeyException(
          key,
          "names "
              + name
              + ", which is neither a linear layer nor an embedding alone; what else it computes"
              + " must be a layer of its own.");
    }
    if (!isLinear(stage)) {
      throw new ConfigKeyException(
          key, "names " + name + ", whose tensors are frozen or used by other layers, too.");
    }
  }
}
