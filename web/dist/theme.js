// Before the first paint, so that a remembered theme does not flash in the other one.
// A file of its own because the page's policy allows no script inside HTML.
try {
  const theme = localStorage.getItem('theme');
  if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be refused; the system's theme holds then.
}
