package dev.lockstep.config;

import dev.lockstep.LockstepException;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A configuration was refused; it carries every problem that was found, in the order of the file.
 */
public final class ConfigException extends LockstepException {
  private static final long serialVersionUID = 1L;

  private final transient List<ConfigProblem> problems;

  public ConfigException(List<ConfigProblem> problems) {
    super(describe(problems));
    this.problems = List.copyOf(problems);
  }

  public List<ConfigProblem> problems() {
    return problems;
  }

  private static String describe(List<ConfigProblem> problems) {
    return problems.stream().map(ConfigProblem::toString).collect(Collectors.joining("\n"));
  }
}
