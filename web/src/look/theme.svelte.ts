// Light or dark: the system's choice until a person makes one, which is then remembered.

type Theme = 'light' | 'dark';

const system = matchMedia('(prefers-color-scheme: dark)');
const forced = matchMedia('(forced-colors: active)');

function chosen(): Theme | undefined {
  const said = document.documentElement.dataset['theme'];
  return said === 'dark' || said === 'light' ? said : undefined;
}

class Look {
  theme = $state<Theme>(chosen() ?? (system.matches ? 'dark' : 'light'));
  /** Grows whenever colours may have changed, so that what is drawn on a canvas is drawn again. */
  revision = $state(0);

  constructor() {
    system.addEventListener('change', () => {
      if (!chosen()) this.theme = system.matches ? 'dark' : 'light';
      this.revision++;
    });
    forced.addEventListener('change', () => this.revision++);
  }

  toggle() {
    this.theme = this.theme === 'dark' ? 'light' : 'dark';
    document.documentElement.dataset['theme'] = this.theme;
    try {
      localStorage.setItem('theme', this.theme);
    } catch {
      // It then holds for this page only.
    }
    this.revision++;
  }
}

export const look = new Look();

/** A token's colour as a canvas takes it: custom properties are not resolved there. */
export function resolve(token: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(--${token})`;
  document.body.append(probe);
  const color = getComputedStyle(probe).color;
  probe.remove();
  return color;
}
