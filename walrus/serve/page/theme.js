// Loaded before the page is drawn, so that a chosen theme does not flash.
try {
  const theme = localStorage.getItem('walrus-theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch { /* no storage: the system's theme */ }
