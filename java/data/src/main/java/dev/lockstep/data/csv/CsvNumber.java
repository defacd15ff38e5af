package dev.lockstep.data.csv;

import java.util.Locale;
import java.util.Set;

/** What a field of a table says: a number, or that there is none. */
final class CsvNumber {
  private static final Set<String> MISSING =
      Set.of("", "na", "nan", "null", "n/a", "#n/a", "none", "<na>", "nat", "-nan");
  private static final Set<String> INFINITE = Set.of("inf", "infinity");

  private CsvNumber() {}

  static boolean isMissing(String field) {
    String text = field.strip();
    return text.length() <= 4 && MISSING.contains(text.toLowerCase(Locale.ROOT));
  }

  static boolean isNumber(String field, boolean decimalComma) {
    try {
      parse(field.strip(), decimalComma);
      return true;
    } catch (NumberFormatException e) {
      return false;
    }
  }

  /**
   * A number; the words inf and infinity are numbers, too.
   *
   * @param text without space around it
   * @throws NumberFormatException if it is none
   */
  static double parse(String text, boolean decimalComma) {
    int sign = text.startsWith("-") || text.startsWith("+") ? 1 : 0;
    if (text.length() == sign) {
      throw new NumberFormatException(text);
    }
    char last = text.charAt(text.length() - 1);
    boolean plain = last >= '0' && last <= '9' || last == '.' || last == ',';
    if (!plain) {
      if (INFINITE.contains(text.substring(sign).toLowerCase(Locale.ROOT))) {
        return text.startsWith("-") ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
      }
      throw new NumberFormatException(text);
    }
    if (text.length() > sign + 1 && (text.charAt(sign + 1) | 0x20) == 'x') {
      throw new NumberFormatException(text);
    }
    if (!decimalComma) {
      return Double.parseDouble(text);
    }
    if (text.indexOf('.') >= 0) {
      throw new NumberFormatException(text);
    }
    return Double.parseDouble(text.replace(',', '.'));
  }
}
