package dev.lockstep;

/**
 * A value of a configuration record is out of its range. Configuration records throw it, so that
 * whoever read the value from a file can say where the key stands.
 */
public final class ConfigKeyException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  private final String key;
  private final String text;

  /**
   * Names the key and what is wrong.
   *
   * @param key as written in a file, relative to the record: {@code batch_size}
   * @param text what is wrong and what to write instead: "must be at least 1, not 0."
   */
  public ConfigKeyException(String key, String text) {
    super(key + ": " + text);
    this.key = key;
    this.text = text;
  }

  /** The key, relative to the record that threw this. */
  public String key() {
    return key;
  }

  /** What is wrong with its value, without the key. */
  public String text() {
    return text;
  }
}
