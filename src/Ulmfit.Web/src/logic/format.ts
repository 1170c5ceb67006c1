/** How numbers, sizes and times are written in the chosen language. */
export class Format {
  private readonly whole: Intl.NumberFormat;
  private readonly moment: Intl.DateTimeFormat;
  private readonly clock: Intl.DateTimeFormat;

  constructor(private readonly locale: string) {
    this.whole = new Intl.NumberFormat(locale);
    this.moment = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
    this.clock = new Intl.DateTimeFormat(locale, { timeStyle: "short" });
  }

  count(value: number): string {
    return this.whole.format(value);
  }

  /** A share as percent, e.g. 93.1%. */
  share(value: number | null | undefined, digits = 1): string {
    return value === null || value === undefined ? "–" : new Intl.NumberFormat(this.locale, { style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
  }

  decimal(value: number | null | undefined, digits = 3): string {
    return value === null || value === undefined ? "–" : new Intl.NumberFormat(this.locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
  }

  /** With its sign, for contributions and differences. */
  signed(value: number, digits = 3): string {
    return new Intl.NumberFormat(this.locale, { minimumFractionDigits: digits, maximumFractionDigits: digits, signDisplay: "exceptZero" }).format(value);
  }

  /** Few digits whatever the size: learning rates. */
  short(value: number | null | undefined): string {
    if (value === null || value === undefined) {
      return "–";
    }
    return value !== 0 && Math.abs(value) < 0.001 ? Number(value.toPrecision(3)).toExponential() : new Intl.NumberFormat(this.locale, { maximumSignificantDigits: 3 }).format(value);
  }

  bytes(value: number): string {
    const units = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;
    let size = value;
    let unit = 0;
    while (size >= 1000 && unit < units.length - 1) {
      size /= 1000;
      unit++;
    }
    return new Intl.NumberFormat(this.locale, { style: "unit", unit: units[unit]!, unitDisplay: "short", maximumFractionDigits: unit === 0 ? 0 : 1 }).format(size);
  }

  duration(seconds: number): string {
    const total = Math.max(0, Math.round(seconds));
    const part = (value: number, unit: "hour" | "minute" | "second"): string => new Intl.NumberFormat(this.locale, { style: "unit", unit, unitDisplay: "narrow" }).format(value);
    if (total < 60) {
      return part(total, "second");
    }
    if (total < 3600) {
      return total < 600 && total % 60 !== 0 ? `${part(Math.floor(total / 60), "minute")} ${part(total % 60, "second")}` : part(Math.round(total / 60), "minute");
    }
    return `${part(Math.floor(total / 3600), "hour")} ${part(Math.floor((total % 3600) / 60), "minute")}`;
  }

  at(time: string): string {
    return this.moment.format(new Date(time));
  }

  /** The time of day. */
  clockAt(time: string): string {
    return this.clock.format(new Date(time));
  }
}
